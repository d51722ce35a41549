# What makes a fault in memory end the program instead of being used (option LITEDESK_HARDEN; on in release builds). Each
# flag is taken where the compiler knows it: -fcf-protection is x86's, level 3 of _FORTIFY_SOURCE needs glibc 2.34.
include(CheckCXXCompilerFlag)
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection)
  string(MAKE_C_IDENTIFIER "LITEDESK_HAS${flag}" known)
  check_cxx_compiler_flag(${flag} ${known})
  if(${known})
    target_compile_options(litedesk_options INTERFACE ${flag})
  endif()
endforeach()
# Without optimization _FORTIFY_SOURCE does nothing but warn. Some distributions' compilers define it themselves.
target_compile_options(litedesk_options INTERFACE $<$<CONFIG:Release>:-U_FORTIFY_SOURCE> $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=3>)
target_compile_definitions(litedesk_options INTERFACE _GLIBCXX_ASSERTIONS)
target_link_options(litedesk_options INTERFACE -Wl,-z,relro,-z,now)
