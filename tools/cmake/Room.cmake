# entrepot_room(<room> FLOOR n [NEEDS rooms…] [LINKS libraries…])
#
# One static library entrepot_<room> of src/<room>/**/*.cpp. Its public headers are
# include/entrepot/<room>; its private ones stay in src/<room> and are visible to its own tests only.
# All rooms share one precompiled header: the standard library and Asio's awaitable, no Beast.
#
# With ENTREPOT_JOINED (the sanitizer trees) all rooms are one library, entrepot_joined, of a few large
# units (units.py), so that what files have in common is compiled a few times only. entrepot_join()
# ends the list of rooms.
option(ENTREPOT_JOINED "Compile many files together, all rooms in one library" OFF)

add_library(entrepot_pch STATIC ${CMAKE_SOURCE_DIR}/src/async/pch.cpp)
target_precompile_headers(entrepot_pch PRIVATE ${CMAKE_SOURCE_DIR}/src/async/pch.hpp)
target_link_libraries(entrepot_pch PUBLIC entrepot_boost PRIVATE entrepot_flags)
# Times of files inside it would make every clone's objects new to ccache.
target_compile_options(entrepot_pch PRIVATE "SHELL:-Xclang -fno-pch-timestamp")

function(entrepot_room room)
  cmake_parse_arguments(ROOM "" "FLOOR" "NEEDS;LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${room}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "src/async/(pch|boost_sources)\\.cpp$")
  if(ENTREPOT_JOINED)
    set_property(GLOBAL APPEND PROPERTY entrepot_sources ${sources})
    set_property(GLOBAL APPEND PROPERTY entrepot_links ${ROOM_LINKS})
    add_library(entrepot_${room} INTERFACE)
    target_link_libraries(entrepot_${room} INTERFACE entrepot_joined)
    return()
  endif()
  if(NOT sources)  # a room that is all headers
    add_library(entrepot_${room} INTERFACE)
    target_include_directories(entrepot_${room} INTERFACE ${CMAKE_SOURCE_DIR}/include)
    return()
  endif()
  add_library(entrepot_${room} STATIC ${sources})
  target_include_directories(entrepot_${room} PUBLIC ${CMAKE_SOURCE_DIR}/include
                                              PRIVATE ${CMAKE_SOURCE_DIR}/src)
  list(TRANSFORM ROOM_NEEDS PREPEND entrepot_)
  target_link_libraries(entrepot_${room} PUBLIC ${ROOM_NEEDS} entrepot_boost ${ROOM_LINKS}
                                         PRIVATE entrepot_flags)
  target_precompile_headers(entrepot_${room} REUSE_FROM entrepot_pch)
endfunction()

function(entrepot_join)
  if(NOT ENTREPOT_JOINED)
    return()
  endif()
  get_property(sources GLOBAL PROPERTY entrepot_sources)
  # What is private to a file, and so which others it goes with, may change with every line.
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${sources}
               ${CMAKE_SOURCE_DIR}/tools/cmake/units.py)
  execute_process(COMMAND /usr/bin/python3 -B ${CMAKE_SOURCE_DIR}/tools/cmake/units.py
                          ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/joined ${sources}
                  OUTPUT_VARIABLE units COMMAND_ERROR_IS_FATAL ANY)
  get_property(links GLOBAL PROPERTY entrepot_links)
  list(REMOVE_DUPLICATES links)
  add_library(entrepot_joined SHARED ${units})
  target_include_directories(entrepot_joined PUBLIC ${CMAKE_SOURCE_DIR}/include
                                             PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(entrepot_joined PUBLIC entrepot_boost ${links} PRIVATE entrepot_flags)
  target_precompile_headers(entrepot_joined REUSE_FROM entrepot_pch)
endfunction()

# What is compiled of tests: fuzzing learns nothing from them (nor have they a use for its list of
# functions), and it is the rooms whose undefined behaviour is looked for.
set(uninstrumented -fno-sanitize=fuzzer-no-link,undefined -Wno-unused-command-line-argument)

# The tests' own precompiled header knows GoogleTest too.
if(ENTREPOT_TESTS)
  find_package(GTest REQUIRED)
  add_library(entrepot_test_pch STATIC ${CMAKE_SOURCE_DIR}/tests/support/pch.cpp)
  target_compile_options(entrepot_test_pch PRIVATE ${uninstrumented} "SHELL:-Xclang -fno-pch-timestamp")
  target_precompile_headers(entrepot_test_pch PRIVATE ${CMAKE_SOURCE_DIR}/src/async/pch.hpp
                                                      ${CMAKE_SOURCE_DIR}/tests/support/pch.hpp)
  target_link_libraries(entrepot_test_pch PUBLIC entrepot_boost GTest::gtest GTest::gmock
                                          PRIVATE entrepot_flags)
endif()

# entrepot_unit_tests(<room> [rooms it uses besides…] [WITHOUT patterns of tests not to run])
function(entrepot_unit_tests room)
  cmake_parse_arguments(TESTS "" "WITHOUT" "" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/${room}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(unit_${room} ${sources})
  target_include_directories(unit_${room} PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/tests)
  list(TRANSFORM TESTS_UNPARSED_ARGUMENTS PREPEND entrepot_ OUTPUT_VARIABLE others)
  target_link_libraries(unit_${room} PRIVATE entrepot_${room} ${others} entrepot_flags
                                             GTest::gtest GTest::gmock GTest::gtest_main)
  # CMake compiles executables with -fPIE; the shared precompiled header wants the rooms' -fPIC.
  set_target_properties(unit_${room} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(unit_${room} PRIVATE -fPIC ${uninstrumented})
  target_precompile_headers(unit_${room} REUSE_FROM entrepot_test_pch)
  # Each test file is a namespace of its own, so that they can share a unit, too.
  set_target_properties(unit_${room} PROPERTIES UNITY_BUILD ${ENTREPOT_JOINED}
                                             UNITY_BUILD_BATCH_SIZE 12)
  add_test(NAME ${ENTREPOT_TEST_PREFIX}unit_${room} COMMAND unit_${room} --gtest_filter=-${TESTS_WITHOUT})
  set_tests_properties(${ENTREPOT_TEST_PREFIX}unit_${room} PROPERTIES LABELS unit TIMEOUT 120)
endfunction()
