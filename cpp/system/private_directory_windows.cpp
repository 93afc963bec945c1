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

/// Full access for the system and administrators, inherited by everything below; nothing is inherited from above.
constexpr const wchar_t* kAccess = L"D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";

Failure systemError(const char* operation, const std::string& path, const char* failureCode = code::kStateDirectory) {
    return systemFailure(failureCode, Phase::prepare, operation, path, static_cast<int>(::GetLastError()));
}

unique_hlocal descriptorOf(const std::wstring& access, const std::string& path, const char* failureCode) {
    PSECURITY_DESCRIPTOR descriptor = nullptr;
    if (::ConvertStringSecurityDescriptorToSecurityDescriptorW(access.c_str(), SDDL_REVISION_1, &descriptor, nullptr) ==
        0)
        throw systemError("ConvertStringSecurityDescriptorToSecurityDescriptorW", path, failureCode);
    return unique_hlocal(descriptor);
}

}  // namespace

void makePrivateDirectory(const std::string& path) {
    const unique_hlocal descriptor = descriptorOf(kAccess, path, code::kStateDirectory);
    SECURITY_ATTRIBUTES attributes{sizeof attributes, descriptor.get(), FALSE};
    const std::wstring name = pathOf(path).native();
    if (::CreateDirectoryW(name.c_str(), &attributes) == 0 && ::GetLastError() != ERROR_ALREADY_EXISTS)
        throw systemError("CreateDirectoryW", path);

    // Also for a new directory: the permissions of its parent directories count as well.
    const DWORD found = ::GetFileAttributesW(name.c_str());
    if (found == INVALID_FILE_ATTRIBUTES) throw systemError("GetFileAttributesW", path);
    if ((found & FILE_ATTRIBUTE_DIRECTORY) == 0 || (found & FILE_ATTRIBUTE_REPARSE_POINT) != 0)
        throw Failure(code::kStateDirectory, Phase::prepare, "it is not a directory, or it is a link to one", path);
    if (ownedByOrdinaryUser(path, code::kStateDirectory))
        throw Failure(code::kStateDirectory, Phase::prepare, "it belongs to an ordinary user", path);
    if (const std::string open = openToOrdinaryUsers(path, code::kStateDirectory); !open.empty())
        throw Failure(code::kStateDirectory, Phase::prepare, "ordinary users can write to " + open, path);
}

void createPrivateDirectory(const std::string& path) {
    // The server's account need not be an administrator, and ownership alone gives it no write access.
    const std::wstring access = kAccess + (L"(A;OICI;FA;;;" + presentUserSid(code::kFileSystem) + L")");
    const unique_hlocal descriptor = descriptorOf(access, path, code::kFileSystem);
    SECURITY_ATTRIBUTES attributes{sizeof attributes, descriptor.get(), FALSE};
    if (::CreateDirectoryW(pathOf(path).c_str(), &attributes) == 0)
        throw systemError("CreateDirectoryW", path, code::kFileSystem);
}

}  // namespace domino_vss
