# Every dependency comes from the distribution's packages; script/bootstrap installs them.
find_package(Threads REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(fmt REQUIRED)
find_package(pugixml REQUIRED)
find_package(CURL 7.81 REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(SQLite3 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBCRYPT REQUIRED IMPORTED_TARGET libcrypt)

pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)

pkg_check_modules(HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)

if(TARGET yaml-cpp::yaml-cpp)
  set(YAML_CPP_TARGET yaml-cpp::yaml-cpp)
else()
  set(YAML_CPP_TARGET yaml-cpp)
endif()
