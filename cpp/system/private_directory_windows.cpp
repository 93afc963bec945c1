#include "system/private_directory.h"

#include <windows.h>
// After windows.h.
#include <sddl.h>

#include "system/failure.h"
#include "system/path.h"
#include "system/trust.h"
#include "system/windows_resources.h"

namespace domino_vss {

namespace {

/// Full access for the system and administrators, inherited by everything below, and nothing from above.
constexpr const wchar_t* kAccess = L"D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";

Failure systemError(const char* operation, const std::string& path) {
    return systemFailure(code::kStateDirectory, Phase::prepare, operation, path, static_cast<int>(::GetLastError()));
}

}  // namespace

void makePrivateDirectory(const std::string& path) {
    PSECURITY_DESCRIPTOR descriptor = nullptr;
    if (::ConvertStringSecurityDescriptorToSecurityDescriptorW(kAccess, SDDL_REVISION_1, &descriptor, nullptr) == 0)
        throw systemError("ConvertStringSecurityDescriptorToSecurityDescriptorW", path);
    const unique_hlocal owned(descriptor);
    SECURITY_ATTRIBUTES attributes{sizeof attributes, descriptor, FALSE};
    const std::wstring name = pathOf(path).native();
    if (::CreateDirectoryW(name.c_str(), &attributes) == 0 && ::GetLastError() != ERROR_ALREADY_EXISTS)
        throw systemError("CreateDirectoryW", path);

    // Also when it was just made: the rights of the directories above count as well.
    const DWORD found = ::GetFileAttributesW(name.c_str());
    if (found == INVALID_FILE_ATTRIBUTES) throw systemError("GetFileAttributesW", path);
    if ((found & FILE_ATTRIBUTE_DIRECTORY) == 0 || (found & FILE_ATTRIBUTE_REPARSE_POINT) != 0)
        throw Failure(code::kStateDirectory, Phase::prepare, "it is no directory, or a link to one", path);
    if (ownedByOrdinaryUser(path, code::kStateDirectory))
        throw Failure(code::kStateDirectory, Phase::prepare, "it belongs to an ordinary user", path);
    if (const std::string open = openToOrdinaryUsers(path, code::kStateDirectory); !open.empty())
        throw Failure(code::kStateDirectory, Phase::prepare, "ordinary users can write to " + open, path);
}

}  // namespace domino_vss
