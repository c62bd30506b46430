# Flags shared by every target, and the one function that declares a part.

add_library(assay_flags INTERFACE)
# -ffp-contract=off: a fused multiply-add would change the bits that the erasure
# and witness claims speak about. Value-changing optimisations never appear (tests/sanity).
target_compile_options(assay_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -ffp-contract=off)
target_compile_definitions(assay_flags INTERFACE ASSAY_VERSION="${PROJECT_VERSION}")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # g++ 12 warns of overlapping copies inside std::string's own operator+ (GCC bug 105651).
  target_compile_options(assay_flags INTERFACE -Wno-restrict)
endif()
if(ASSAY_WERROR)
  target_compile_options(assay_flags INTERFACE -Werror)
endif()
if(ASSAY_SANITIZE)
  target_compile_options(assay_flags INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(assay_flags INTERFACE -fsanitize=address,undefined)
endif()
if(ASSAY_FUZZ)
  target_compile_options(assay_flags INTERFACE -fsanitize=fuzzer-no-link,address,undefined)
  target_link_options(assay_flags INTERFACE -fsanitize=address,undefined)
endif()

# assay_part(NAME SOURCES a.cpp … [PUBLIC parts…] [PRIVATE libs…])
# declares the static library assay_NAME with the alias assay::NAME.
function(assay_part NAME)
  cmake_parse_arguments(PART "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(assay_${NAME} STATIC ${PART_SOURCES})
  add_library(assay::${NAME} ALIAS assay_${NAME})
  target_include_directories(assay_${NAME} PUBLIC "${PROJECT_SOURCE_DIR}/include")
  target_include_directories(assay_${NAME} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  target_link_libraries(assay_${NAME} PUBLIC ${PART_PUBLIC} PRIVATE assay_flags ${PART_PRIVATE})
endfunction()
