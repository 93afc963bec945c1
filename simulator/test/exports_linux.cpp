// The library exports every known function under its plain name, and nothing else.
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include <dlfcn.h>

#include "../notes/functions.h"
#include "harness.h"

int main() {
    void* library = dlopen("libnotes.so", RTLD_NOW | RTLD_LOCAL);
    CHECK(library != nullptr);
    for (const std::string_view name : domino_sim::kFunctionNames) {
        if (dlsym(library, name.data()) == nullptr) {
            std::fprintf(stderr, "missing: %s\n", name.data());
            CHECK(!"every function is exported");
        }
    }
    std::size_t exported = 0;
    std::FILE* names = popen("nm -D --defined-only \"$Notes_ExecDirectory/libnotes.so\"", "r");
    CHECK(names != nullptr);
    char line[1024];
    while (std::fgets(line, sizeof line, names) != nullptr) {
        const std::string name(std::strrchr(line, ' ') + 1);
        CHECK(domino_sim::findFunction(name.substr(0, name.size() - 1)).has_value());
        ++exported;
    }
    CHECK(pclose(names) == 0);
    CHECK(exported == domino_sim::kFunctionCount);
    return 0;
}
