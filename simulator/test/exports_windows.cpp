// The library exports every known function under its plain name, and nothing else. The ordinals that the toolkit's
// import library uses lead to the same functions.
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include <windows.h>

#include "../notes/functions.h"
#include "harness.h"

namespace {

template <typename T>
const T* inImage(HMODULE module, DWORD offset) {
    return reinterpret_cast<const T*>(reinterpret_cast<const std::byte*>(module) + offset);
}

DWORD exportedNames(HMODULE module) {
    const auto* dos = inImage<IMAGE_DOS_HEADER>(module, 0);
    const auto* headers = inImage<IMAGE_NT_HEADERS64>(module, static_cast<DWORD>(dos->e_lfanew));
    const auto& entry = headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_EXPORT];
    const auto* directory = inImage<IMAGE_EXPORT_DIRECTORY>(module, entry.VirtualAddress);
    const auto* names = inImage<DWORD>(module, directory->AddressOfNames);
    for (DWORD i = 0; i < directory->NumberOfNames; ++i) {
        CHECK(domino_sim::findFunction(inImage<char>(module, names[i])).has_value());
    }
    return directory->NumberOfNames;
}

}  // namespace

int main() {
    const HMODULE library = LoadLibraryW(L"nnotes.dll");
    CHECK(library != nullptr);
    for (const std::string_view name : domino_sim::kFunctionNames) {
        if (GetProcAddress(library, name.data()) == nullptr) {
            std::fprintf(stderr, "missing: %s\n", name.data());
            CHECK(!"every function is exported");
        }
    }
    CHECK(exportedNames(library) == domino_sim::kFunctionCount);
    struct Known {
        WORD ordinal;
        const char* name;
    };
    for (const Known& known : {Known{11, "NotesInit"}, Known{707, "OSLoadString"}, Known{2005, "NSFDbOpen"},
                               Known{2195, "NSFSearch"}, Known{5734, "NSFBackupStart"}, Known{5735, "NSFBackupStop"},
                               Known{8754, "NSFBackupStartApplyChangeInfoWithCallback"}}) {
        const FARPROC byOrdinal = GetProcAddress(library, MAKEINTRESOURCEA(known.ordinal));
        CHECK(byOrdinal != nullptr && byOrdinal == GetProcAddress(library, known.name));
    }
    return 0;
}
