// A directory of ours is removed. On Windows nobody can put a link in the place of a directory that we hold open, nor
// of one above it; where Windows could make links, they would go without what they lead to (Wine makes none).

#include "system/remove_tree.h"

#include <windows.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "check.h"
#include "system/failure.h"
#include "system/path.h"

namespace {

using namespace domino_vss;
namespace fs = std::filesystem;

constexpr const char* kCode = "ERR_TEST";
const fs::path kRoot = L"C:\\domino-vss-remove-test";
const fs::path kOurs = kRoot / L"ours";

void write(const fs::path& file) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << "ours";
}

void prepare() {
    fs::remove_all(kRoot);
    write(kOurs / L"mail" / L"ada.nsf");
    write(kOurs / L"mail" / L"\u00fcber \u65e5\u672c.nsf");
    write(kOurs / L"names.nsf");
    fs::create_directories(kOurs / L"empty");
}

void removesEverything() {
    prepare();
    for (int i = 0; i < 500; ++i) write(kOurs / L"many" / (L"a long name of a database " + std::to_wstring(i)));
    CHECK(::SetFileAttributesW((kOurs / L"names.nsf").c_str(), FILE_ATTRIBUTE_READONLY) != 0);
    removeTree(utf8Of(kOurs) + "\\", kCode);
    CHECK(!fs::exists(kOurs));
    CHECK(fs::exists(kRoot));
    removeTree(utf8Of(kOurs), kCode);  // there is nothing any more
    removeTree(utf8Of(kOurs / L"deep" / L"er"), kCode);
    fs::remove_all(kRoot);
}

int attempts = 0;

/// Neither the directory that is entered nor the one above it can be moved away, so that no link can take its place.
void trySwap(const std::string& directory) {
    const fs::path entered = pathOf(directory);
    if (entered.filename() != L"mail") return;
    ++attempts;
    CHECK(::MoveFileW(entered.c_str(), (kRoot / L"aside").c_str()) == 0);
    CHECK(::RemoveDirectoryW(entered.c_str()) == 0);
}

void holdsWhatItEnters() {
    prepare();
    removeTree(utf8Of(kOurs), kCode, trySwap);
    CHECK(attempts == 1);
    CHECK(!fs::exists(kOurs));
    fs::remove_all(kRoot);
}

void namesWhatCannotBeRemoved() {
    prepare();
    const fs::path file = kOurs / L"mail" / L"ada.nsf";
    ::HANDLE const held =
        ::CreateFileW(file.c_str(), GENERIC_READ, FILE_SHARE_READ, nullptr, OPEN_EXISTING, 0, nullptr);
    CHECK(held != INVALID_HANDLE_VALUE);
    try {
        removeTree(utf8Of(kOurs), kCode);
        CHECK(!"a file that somebody holds open was removed");
    } catch (const Failure& failure) {
        CHECK(failure.operation == "CreateFileW");
        CHECK(failure.status == ERROR_SHARING_VIOLATION);
        CHECK(pathOf(failure.subject) == pathOf(utf8Of(file)));
    }
    ::CloseHandle(held);
    fs::remove_all(kRoot);
}

}  // namespace

int main() {
    return check::run({{"everything goes", removesEverything},
                       {"what is entered stays where it is", holdsWhatItEnters},
                       {"what cannot be removed is named", namesWhatCannotBeRemoved}});
}
