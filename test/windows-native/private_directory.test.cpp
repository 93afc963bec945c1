// The access list of a directory for the system and administrators. Wine keeps of it what the permissions of Unix can
// say: whether everybody may do anything at all.

#include "system/private_directory.h"

#include <windows.h>
// After windows.h.
#include <aclapi.h>

#include <filesystem>

#include "check.h"
#include "system/failure.h"
#include "system/path.h"
#include "system/trust.h"

namespace {

using namespace domino_vss;

const std::filesystem::path kDirectory = L"C:\\domino-vss-private-test";

/// Whether everybody is granted anything.
bool isOpen(const std::filesystem::path& path) {
    std::wstring name = path.native();
    PACL list = nullptr;
    PSECURITY_DESCRIPTOR descriptor = nullptr;
    CHECK(::GetNamedSecurityInfoW(name.data(), SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, nullptr, nullptr, &list,
                                  nullptr, &descriptor) == ERROR_SUCCESS);
    CHECK(list != nullptr);
    bool open = false;
    for (DWORD i = 0; i < list->AceCount; ++i) {
        void* entry = nullptr;
        CHECK(::GetAce(list, i, &entry) != 0);
        auto* const allowed = static_cast<ACCESS_ALLOWED_ACE*>(entry);
        if (allowed->Header.AceType != ACCESS_ALLOWED_ACE_TYPE) continue;
        open = open || (allowed->Mask != 0 && ::IsWellKnownSid(&allowed->SidStart, WinWorldSid) != 0);
    }
    ::LocalFree(descriptor);
    return open;
}

void isNobodyElses() {
    std::filesystem::remove_all(kDirectory);
    // What the system makes without being told otherwise is open, or this would prove nothing.
    std::filesystem::create_directory(kDirectory);
    CHECK(isOpen(kDirectory));
    const std::filesystem::path made = kDirectory / L"made";
    makePrivateDirectory(utf8Of(made));
    CHECK(!isOpen(made));
    CHECK(!ownedByOrdinaryUser(utf8Of(made), "ERR_TEST"));
    std::filesystem::create_directory(made / L"below");
    const std::filesystem::path created = kDirectory / L"created";
    createPrivateDirectory(utf8Of(created));
    CHECK(!isOpen(created));
    std::filesystem::create_directory(created / L"below");
    try {
        createPrivateDirectory(utf8Of(created));
        CHECK(!"a directory that was there counts as made");
    } catch (const Failure& failure) {
        CHECK(std::string_view(failure.code) == code::kFileSystem);
        CHECK(failure.status == ERROR_ALREADY_EXISTS);
    }
    std::filesystem::remove_all(kDirectory);
}

void namesWhatFails() {
    try {
        makePrivateDirectory(utf8Of(kDirectory / L"not there" / L"below"));
        CHECK(!"a directory was made below one that is not there");
    } catch (const Failure& failure) {
        CHECK(std::string_view(failure.code) == code::kStateDirectory);
        CHECK(failure.operation == "CreateDirectoryW");
        CHECK(failure.status == ERROR_PATH_NOT_FOUND);
    }
}

}  // namespace

int main() {
    return check::run(
        {{"a private directory is nobody else's", isNobodyElses}, {"a directory that cannot be made", namesWhatFails}});
}
