# Sanitizers must agree over every target, Boost's compiled part included.
if(ENTREPOT_SANITIZE)
  add_compile_options(-fsanitize=${ENTREPOT_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ENTREPOT_SANITIZE})
  if(ENTREPOT_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
    # Coroutine frames and this check do not assemble together (undefined section differences).
    add_compile_options(-fno-sanitize=function)
  endif()
  if(ENTREPOT_SANITIZE MATCHES "fuzzer")
    # Fuzzing follows our own functions; with those of every template objects are half as large again.
    add_compile_options(-fsanitize-coverage-allowlist=${CMAKE_SOURCE_DIR}/tools/cmake/fuzzed.txt)
  endif()
endif()
