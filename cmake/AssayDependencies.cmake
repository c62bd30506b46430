# Third-party packages. Debian's are the default; a newer LibTorch or Z3 that
# CMAKE_PREFIX_PATH names is found first.
find_package(Threads REQUIRED)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(Boost 1.74 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Sodium REQUIRED)
if(ASSAY_WITH_Z3)
  find_package(Z3 4.8 REQUIRED)
endif()
if(ASSAY_WITH_TORCH)
  find_package(Torch REQUIRED)
endif()
