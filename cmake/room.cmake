# Rules shared by every room: warnings, sanitizers, and one static library per folder.

add_library(atelier_rules INTERFACE)
target_include_directories(atelier_rules INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
# A test takes longer to compile than to run: it is not optimised, what it tests is.
define_property(TARGET PROPERTY ATELIER_TEST BRIEF_DOCS "Holds tests alone.")
target_compile_options(
  atelier_rules
  INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
            $<$<CONFIG:Debug>:$<IF:$<BOOL:$<TARGET_PROPERTY:ATELIER_TEST>>,-O0,-O1>>)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
# Optimising, g++ 12 sees overlaps in std::string and unset members of std::variant that are not
# there (gcc.gnu.org/PR105651, PR105562).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(
    atelier_rules INTERFACE $<$<NOT:$<CONFIG:Debug>>:-Wno-restrict;-Wno-maybe-uninitialized>)
endif()
# Lines and names are enough for a stack trace, and link in a tenth of the time.
set(CMAKE_CXX_FLAGS_DEBUG "-g1")
find_program(MOLD mold)
if(MOLD)
  target_link_options(atelier_rules INTERFACE -fuse-ld=mold)
endif()
if(ATELIER_SANITIZE)
  target_compile_options(atelier_rules INTERFACE -fsanitize=${ATELIER_SANITIZE}
                                                 -fno-omit-frame-pointer -fno-sanitize=vptr)
  target_link_options(atelier_rules INTERFACE -fsanitize=${ATELIER_SANITIZE})
  if(ATELIER_FUZZ)
    # RapidJSON counts from a null pointer while a stack is empty.
    target_compile_options(atelier_rules INTERFACE -fno-sanitize=pointer-overflow
                                                   -fno-sanitize-recover=undefined)
  endif()
  if(ATELIER_SANITIZE MATCHES "thread")
    target_compile_options(atelier_rules INTERFACE -Wno-tsan)
  endif()
endif()

# atelier_room(name USES room... LIBRARIES target...)
# Makes atelier_<name> from the sources below the current folder.
function(atelier_room name)
  cmake_parse_arguments(ROOM "" "" "USES;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  if(NOT sources)
    add_library(atelier_${name} INTERFACE)
    return()
  endif()
  add_library(atelier_${name} STATIC ${sources})
  target_link_libraries(atelier_${name} PUBLIC atelier_rules)
  foreach(room IN LISTS ROOM_USES)
    target_link_libraries(atelier_${name} PUBLIC atelier_${room})
  endforeach()
  target_link_libraries(atelier_${name} PRIVATE ${ROOM_LIBRARIES})
endfunction()

# atelier_test(room USES room... LIBRARIES target...)
# Makes atelier_<room>_test from tests/<room>/*_test.cc and registers each of its tests.
function(atelier_test name)
  cmake_parse_arguments(TEST "" "" "USES;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(atelier_${name}_test ${sources})
  set_target_properties(atelier_${name}_test PROPERTIES ATELIER_TEST ON)
  target_link_libraries(atelier_${name}_test PRIVATE atelier_rules ${TEST_LIBRARIES})
  foreach(room IN LISTS TEST_USES)
    target_link_libraries(atelier_${name}_test PRIVATE atelier_${room})
  endforeach()
  target_link_libraries(atelier_${name}_test PRIVATE GTest::gtest_main GTest::gmock)
  target_compile_definitions(atelier_${name}_test
                             PRIVATE ATELIER_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  gtest_discover_tests(atelier_${name}_test DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 120
                       PROPERTIES TIMEOUT 600)
endfunction()
