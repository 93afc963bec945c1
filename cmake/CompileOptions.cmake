# How our own sources are compiled, in the addon and in the native tests alike.
function(domino_vss_compile_options target)
    target_compile_features(${target} PRIVATE cxx_std_20)
    set_target_properties(${target} PROPERTIES
        CXX_EXTENSIONS OFF
        CXX_VISIBILITY_PRESET hidden
        VISIBILITY_INLINES_HIDDEN ON
        POSITION_INDEPENDENT_CODE ON)
    if(MSVC)
        target_compile_options(${target} PRIVATE /W4 /permissive- /utf-8 /EHsc)
    else()
        # Not CMake's -O3, which makes the addon larger by 6 %: it waits for Domino and for disks.
        target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O2> -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
    endif()
    if(MINGW)
        # GCC 12 sees overlaps inside of std::string that cannot be (its bug 105651).
        target_compile_options(${target} PRIVATE -Wno-restrict)
    endif()
    if(WIN32)
        target_compile_definitions(${target} PRIVATE UNICODE _UNICODE NOMINMAX WIN32_LEAN_AND_MEAN
            # Windows 10, the oldest that runs a supported Node.js.
            _WIN32_WINNT=0x0A00)
    endif()
    target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../cpp")
endfunction()
