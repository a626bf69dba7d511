# Everything comes from Debian 12's packages; tools/setup names them.
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(CURL REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED COMPONENTS core)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)
pkg_check_modules(LMDB REQUIRED IMPORTED_TARGET lmdb)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(PSL REQUIRED IMPORTED_TARGET libpsl)
pkg_check_modules(CRYPT REQUIRED IMPORTED_TARGET libxcrypt)

# Asio and Beast are compiled once, here; every other file sees declarations.
add_library(entrepot_boost STATIC ${CMAKE_SOURCE_DIR}/src/async/boost_sources.cpp)
target_compile_definitions(entrepot_boost PUBLIC
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(entrepot_boost PUBLIC Boost::headers Threads::Threads OpenSSL::SSL)
