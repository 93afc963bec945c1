#include "system/trust.h"

#include <windows.h>
// After windows.h.
#include <aclapi.h>
#include <sddl.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <vector>

#include "system/failure.h"
#include "system/file_system.h"
#include "system/path.h"
#include "system/windows_resources.h"

namespace domino_vss {

namespace {

/// Rights to replace a file or to place another one beside it.
constexpr ACCESS_MASK kReplacing = FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_DELETE_CHILD | DELETE | WRITE_DAC |
                                   WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL;
/// Rights to rename a directory above it. Creating new files beside it does no harm.
constexpr ACCESS_MASK kMovingAway = FILE_DELETE_CHILD | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_ALL;

/// The owner and the access list of a file or directory.
class Access {
public:
    Access(const std::filesystem::path& path, const char* failureCode) {
        // The function takes a non-const name but does not change it.
        std::wstring name = path.native();
        PSECURITY_DESCRIPTOR descriptor = nullptr;
        const DWORD error =
            ::GetNamedSecurityInfoW(name.data(), SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                                    &owner_, nullptr, &list_, nullptr, &descriptor);
        if (error != ERROR_SUCCESS)
            throw systemFailure(failureCode, Phase::runtime, "GetNamedSecurityInfoW", utf8Of(path),
                                static_cast<int>(error));
        descriptor_.reset(descriptor);
    }

    [[nodiscard]] PSID owner() const noexcept { return owner_; }
    [[nodiscard]] PACL list() const noexcept { return list_; }

private:
    unique_hlocal descriptor_;  // owns the memory that the other two point to
    PSID owner_ = nullptr;
    PACL list_ = nullptr;
};

/// The groups that everybody who can log on belongs to.
bool isEverybody(PSID sid) {
    constexpr std::array kKinds{WinWorldSid,
                                WinAuthenticatedUserSid,
                                WinInteractiveSid,
                                WinNetworkSid,
                                WinBuiltinUsersSid,
                                WinBuiltinGuestsSid,
                                WinAnonymousSid,
                                WinAccountDomainUsersSid,
                                WinAccountDomainGuestsSid,
                                WinRemoteLogonIdSid,
                                WinLocalSid,
                                WinBuiltinAnyPackageSid};
    return std::ranges::any_of(kKinds, [sid](WELL_KNOWN_SID_TYPE kind) { return ::IsWellKnownSid(sid, kind) != 0; });
}

/// Whether an entry of the list grants everybody one of these rights. Deny entries are ignored: a list that needs one
/// already grants too much.
bool grantsEverybody(PACL list, ACCESS_MASK what) {
    // A missing list grants everything to everybody; an empty one grants nothing.
    if (list == nullptr) return true;
    for (DWORD i = 0; i < list->AceCount; ++i) {
        void* entry = nullptr;
        if (::GetAce(list, i, &entry) == 0) return true;
        const auto* const header = static_cast<const ACE_HEADER*>(entry);
        if (header->AceType != ACCESS_ALLOWED_ACE_TYPE || (header->AceFlags & INHERIT_ONLY_ACE) != 0) continue;
        auto* const allowed = static_cast<ACCESS_ALLOWED_ACE*>(entry);
        if ((allowed->Mask & what) != 0 && isEverybody(&allowed->SidStart)) return true;
    }
    return false;
}

/// A TOKEN_USER; empty if it cannot be read.
std::vector<std::byte> presentUser() {
    ::HANDLE handle = nullptr;
    if (::OpenProcessToken(::GetCurrentProcess(), TOKEN_QUERY, &handle) == 0) return {};
    const unique_handle token(handle);
    DWORD size = 0;
    ::GetTokenInformation(token.get(), TokenUser, nullptr, 0, &size);
    std::vector<std::byte> buffer(size);
    if (::GetTokenInformation(token.get(), TokenUser, buffer.data(), size, &size) == 0) return {};
    return buffer;
}

PSID sidOf(const std::vector<std::byte>& user) {
    return reinterpret_cast<const TOKEN_USER*>(user.data())->User.Sid;
}

bool isPresentUser(PSID sid) {
    const std::vector<std::byte> user = presentUser();
    return !user.empty() && ::EqualSid(sidOf(user), sid) != 0;
}

/// The owner of the files that Windows itself installed.
bool isTrustedInstaller(PSID sid) {
    PSID installer = nullptr;
    if (::ConvertStringSidToSidW(L"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464", &installer) == 0)
        return false;
    const unique_hlocal owned(installer);
    return ::EqualSid(installer, sid) != 0;
}

}  // namespace

std::string openToOrdinaryUsers(const std::string& path, const char* failureCode) {
    std::string final;
    if (const int error = resolvePath(path, final); error != 0)
        throw systemFailure(failureCode, Phase::runtime, "GetFinalPathNameByHandleW", path, error);
    // Not in the extended form, because the compilers' libraries disagree about its root.
    const std::filesystem::path resolved = toUtf16(final);
    if (grantsEverybody(Access(resolved, failureCode).list(), kReplacing)) return utf8Of(resolved);
    // Not the root of the volume, which nobody can rename. There, ordinary users usually may create directories.
    for (auto directory = resolved.parent_path(); directory.has_relative_path(); directory = directory.parent_path())
        if (grantsEverybody(Access(directory, failureCode).list(), kMovingAway)) return utf8Of(directory);
    return {};
}

bool ownedByOrdinaryUser(const std::string& path, const char* failureCode) {
    const Access access(toUtf16(path), failureCode);
    PSID const owner = access.owner();
    return owner == nullptr || (::IsWellKnownSid(owner, WinLocalSystemSid) == 0 &&
                                ::IsWellKnownSid(owner, WinBuiltinAdministratorsSid) == 0 &&
                                !isTrustedInstaller(owner) && !isPresentUser(owner));
}

std::wstring presentUserSid(const char* failureCode) {
    const std::vector<std::byte> user = presentUser();
    wchar_t* text = nullptr;
    if (user.empty() || ::ConvertSidToStringSidW(sidOf(user), &text) == 0)
        throw systemFailure(failureCode, Phase::runtime, "ConvertSidToStringSidW", "",
                            static_cast<int>(::GetLastError()));
    const unique_hlocal owned(text);
    return text;
}

}  // namespace domino_vss
