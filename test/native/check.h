#pragma once

#include <cstddef>
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

/// Which cases one process runs: with TEST_PART=2/6 the third, the ninth and so on, without it all of them.
inline bool isOfThisPart(std::size_t index) {
    unsigned part = 0;
    unsigned parts = 1;
    if (const char* text = std::getenv("TEST_PART"); text != nullptr)
        if (std::sscanf(text, "%u/%u", &part, &parts) != 2 || part >= parts) std::abort();
    return index % parts == part;
}

inline int run(const std::vector<Case>& cases) {
    for (std::size_t index = 0; index < cases.size(); ++index) {
        if (!isOfThisPart(index)) continue;
        const Case& entry = cases[index];
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
