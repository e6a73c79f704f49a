# Rules shared by every room: warnings, sanitizers, and one static library per folder.

add_library(atelier_rules INTERFACE)
target_include_directories(atelier_rules INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
# fmt is here so that every room is compiled with the same definitions and can share what is precompiled.
target_link_libraries(atelier_rules INTERFACE fmt::fmt)
# A test takes longer to compile than to run: it is not optimised, what it tests is.
define_property(TARGET PROPERTY ATELIER_TEST BRIEF_DOCS "Holds tests alone.")
# In a batch (atelier_batches) a local name may be that of a function in another source; alone it may not.
set(ATELIER_SHADOW -Wshadow)
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(ATELIER_SHADOW -Wshadow=local)
elseif(CMAKE_UNITY_BUILD)
  set(ATELIER_SHADOW "")
endif()
target_compile_options(
  atelier_rules
  INTERFACE -Wall -Wextra -Wpedantic ${ATELIER_SHADOW} -Wconversion -Werror
            $<$<CONFIG:Debug>:$<IF:$<BOOL:$<TARGET_PROPERTY:ATELIER_TEST>>,-O0,-O1>>)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
# Optimising, g++ 12 sees overlaps, overruns and unset members of std::string, std::string_view and
# std::variant that are not there (gcc.gnu.org/PR105651, PR105562); which ones changes with what it
# inlines, that is with each batch and sanitizer.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  set(false_alarms -Wno-restrict -Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overread
                   -Wno-stringop-overflow)
  if(ATELIER_SANITIZE)
    target_compile_options(atelier_rules INTERFACE ${false_alarms})
  else()
    target_compile_options(atelier_rules INTERFACE "$<$<NOT:$<CONFIG:Debug>>:${false_alarms}>")
  endif()
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

# What nearly every source includes is compiled once (docs/decisions/0008-build-time.md), for rooms and
# again for tests, which are compiled with other flags.
add_library(atelier_precompiled OBJECT ${CMAKE_CURRENT_LIST_DIR}/precompiled.cc)
target_link_libraries(atelier_precompiled PRIVATE atelier_rules)
target_precompile_headers(atelier_precompiled PRIVATE ${CMAKE_CURRENT_LIST_DIR}/precompiled.h)
set_target_properties(atelier_precompiled PROPERTIES UNITY_BUILD OFF)
if(ATELIER_TESTS)
  find_package(GTest REQUIRED)
  add_library(atelier_test_precompiled OBJECT ${CMAKE_CURRENT_LIST_DIR}/precompiled.cc)
  set_target_properties(atelier_test_precompiled PROPERTIES ATELIER_TEST ON UNITY_BUILD OFF)
  target_link_libraries(atelier_test_precompiled PRIVATE atelier_rules GTest::gtest GTest::gmock)
  target_precompile_headers(atelier_test_precompiled PRIVATE ${CMAKE_CURRENT_LIST_DIR}/precompiled.h
                            <gtest/gtest.h> <gmock/gmock.h>)
endif()

# With CMAKE_UNITY_BUILD, compiles the sources of a folder together, six at most, and never those of
# two folders. So the names in the anonymous namespaces of one folder must differ. Sources with the
# headers of a large library stay ALONE, for they would hold up the others.
function(atelier_batches target)
  cmake_parse_arguments(BATCH "" "" "ALONE" ${ARGN})
  get_target_property(sources ${target} SOURCES)
  set(folders "")
  foreach(source IN LISTS sources)
    get_filename_component(path ${source} ABSOLUTE)
    get_filename_component(folder ${path} DIRECTORY)
    file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${folder})
    file(RELATIVE_PATH name ${CMAKE_CURRENT_SOURCE_DIR} ${path})
    if(name IN_LIST BATCH_ALONE)
      set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
      continue()
    endif()
    string(MAKE_C_IDENTIFIER "${folder}" folder)
    list(APPEND folders ${folder})
    list(APPEND of_${folder} ${source})
  endforeach()
  list(REMOVE_DUPLICATES folders)
  foreach(folder IN LISTS folders)
    list(LENGTH of_${folder} count)
    math(EXPR batches "(${count} + 5) / 6")
    set(index 0)
    foreach(source IN LISTS of_${folder})
      math(EXPR batch "${index} * ${batches} / ${count}")
      set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${folder}_${batch})
      math(EXPR index "${index} + 1")
    endforeach()
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD_MODE GROUP)
  # A class that hides its parts in the anonymous namespace of its source is still in one unit alone.
  get_target_property(batched ${target} UNITY_BUILD)
  if(batched AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  endif()
endfunction()

# atelier_room(name USES room... LIBRARIES target... ALONE source...)
# Makes atelier_<name> from the sources below the current folder; for ALONE see atelier_batches.
function(atelier_room name)
  cmake_parse_arguments(ROOM "" "" "USES;LIBRARIES;ALONE" ${ARGN})
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
  target_precompile_headers(atelier_${name} REUSE_FROM atelier_precompiled)
  atelier_batches(atelier_${name} ALONE ${ROOM_ALONE})
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
  set_target_properties(atelier_${name}_test PROPERTIES ATELIER_TEST ON UNITY_BUILD OFF)
  target_precompile_headers(atelier_${name}_test REUSE_FROM atelier_test_precompiled)
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
