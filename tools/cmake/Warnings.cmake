# Flags of our own targets only; a dependency's headers are SYSTEM.
add_library(entrepot_flags INTERFACE)
target_compile_options(entrepot_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Wnull-dereference -Wreserved-identifier -Wimplicit-fallthrough -Wsuggest-override
  -Werror
  -fstack-protector-strong
  -pthread)  # re2 asks it of some rooms; the shared precompiled header needs it of all
target_link_options(entrepot_flags INTERFACE -fuse-ld=lld-19 -Wl,-z,relro,-z,now)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_definitions(entrepot_flags INTERFACE _FORTIFY_SOURCE=2)
endif()
target_compile_definitions(entrepot_flags INTERFACE ENTREPOT_VERSION="${PROJECT_VERSION}")
