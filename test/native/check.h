#pragma once

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <vector>

/// A test program is a list of named cases; the first broken expectation names itself and ends the program.
namespace check {

struct Case {
    std::string_view name;
    std::function<void()> body;
};

inline int run(const std::vector<Case>& cases) {
    for (const Case& entry : cases) {
        std::printf("- %.*s\n", static_cast<int>(entry.name.size()), entry.name.data());
        std::fflush(stdout);
        entry.body();
    }
    return 0;
}

inline void that(bool holds, const char* what, const char* file, int line) {
    if (holds) return;
    std::fprintf(stderr, "%s:%d: expected %s\n", file, line, what);
    std::abort();
}

}  // namespace check

#define CHECK(expression) check::that(static_cast<bool>(expression), #expression, __FILE__, __LINE__)
