# Third-party packages. Debian's are the default; a newer LibTorch or Z3 that
# CMAKE_PREFIX_PATH names is found first.
find_package(Threads REQUIRED)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(Boost 1.74 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Sodium REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
if(ASSAY_WITH_Z3)
  find_package(Z3 4.8 REQUIRED)
endif()
if(ASSAY_WITH_TORCH)
  # Given the folder that torch.utils.cmake_prefix_path names (…/share/cmake), TorchConfig would
  # take its own headers and the system's library: name the folder above as well.
  foreach(folder IN LISTS CMAKE_PREFIX_PATH)
    if(EXISTS "${folder}/Torch/TorchConfig.cmake")
      cmake_path(SET root NORMALIZE "${folder}/../..")
      list(PREPEND CMAKE_PREFIX_PATH "${root}")
    endif()
  endforeach()
  find_package(Torch REQUIRED)
  cmake_path(SET root NORMALIZE "${Torch_DIR}/../../..")
  cmake_path(IS_PREFIX root "${TORCH_LIBRARY}" NORMALIZE belongs)
  if(NOT belongs)
    message(FATAL_ERROR "LibTorch's headers are under ${root}, but its library is ${TORCH_LIBRARY}: "
      "clear the build folder and name one LibTorch in CMAKE_PREFIX_PATH")
  endif()
endif()
