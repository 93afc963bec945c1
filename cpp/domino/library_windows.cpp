#include <windows.h>
// After windows.h.
#include <aclapi.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "backup/failure.h"
#include "backup/file.h"
#include "backup/file_system.h"
#include "backup/path.h"
#include "domino/library.h"

namespace domino_vss::domino {

namespace {

using backup::Failure;
using backup::pathOf;
using backup::Phase;
namespace code = backup::code;

constexpr const char* kLibraryName = "nnotes.dll";

/// What replaces a file or puts another one beside it.
constexpr ACCESS_MASK kReplacing = FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_DELETE_CHILD | DELETE | WRITE_DAC |
                                   WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL;
/// What renames a directory on the way there. New files beside it do no harm.
constexpr ACCESS_MASK kMovingAway = FILE_DELETE_CHILD | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_ALL;

struct LocalFreer {
    void operator()(void* memory) const noexcept { ::LocalFree(memory); }
};

Failure systemError(const char* operation, const std::string& subject, DWORD error) {
    return backup::systemFailure(code::kDominoLibrary, Phase::runtime, operation, subject, static_cast<int>(error));
}

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

/// Whether an entry of the list lets everybody do one of the things. A denial before it is not weighed: who needs one
/// has granted too much.
bool grantsEverybody(PACL list, ACCESS_MASK what) {
    // No list at all grants everything to everybody; an empty one nothing.
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

void requireTrusted(const std::filesystem::path& path, ACCESS_MASK what) {
    PACL list = nullptr;
    PSECURITY_DESCRIPTOR descriptor = nullptr;
    // The function wants a name that it may change, and does not.
    std::wstring name = path.native();
    const DWORD error = ::GetNamedSecurityInfoW(name.data(), SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, nullptr,
                                                nullptr, &list, nullptr, &descriptor);
    if (error != ERROR_SUCCESS) throw systemError("GetNamedSecurityInfoW", backup::utf8Of(path), error);
    const std::unique_ptr<void, LocalFreer> owned(descriptor);
    if (grantsEverybody(list, what))
        throw Failure(code::kDominoLibraryUnsafe, Phase::runtime,
                      "ordinary users can write to it, so the library is not loaded", backup::utf8Of(path));
}

std::string resolve(const std::string& file) {
    std::string resolved;
    if (const int error = backup::resolvePath(file, resolved); error != 0)
        throw systemError("GetFinalPathNameByHandleW", file, static_cast<DWORD>(error));
    return resolved;
}

template <typename Structure>
bool copyFrom(std::span<const char> image, std::size_t offset, Structure& structure) {
    if (offset > image.size() || image.size() - offset < sizeof structure) return false;
    std::memcpy(&structure, image.data() + offset, sizeof structure);
    return true;
}

/// The machine type in the headers of a library or program; 0 when it is none.
WORD machineOf(std::span<const char> image) {
    IMAGE_DOS_HEADER dos{};
    DWORD signature = 0;
    IMAGE_FILE_HEADER header{};
    const bool isImage = copyFrom(image, 0, dos) && dos.e_magic == IMAGE_DOS_SIGNATURE && dos.e_lfanew > 0 &&
                         copyFrom(image, static_cast<std::size_t>(dos.e_lfanew), signature) &&
                         signature == IMAGE_NT_SIGNATURE &&
                         copyFrom(image, static_cast<std::size_t>(dos.e_lfanew) + sizeof signature, header);
    return isImage ? header.Machine : WORD{0};
}

std::string machineName(WORD machine) {
    switch (machine) {
        case IMAGE_FILE_MACHINE_I386: return "32-bit (x86)";
        case IMAGE_FILE_MACHINE_AMD64: return "64-bit (x64)";
        case IMAGE_FILE_MACHINE_ARM64: return "64-bit (ARM64)";
        default: return "of machine type " + std::to_string(machine);
    }
}

/// The loader's own answer, "not a valid Win32 application", says nothing about which of the two is the wrong one.
void requireSameMachine(const std::string& file) {
    constexpr std::size_t kHeadBytes = 4096;
    std::array<char, kHeadBytes> head{};
    backup::File library;
    if (const int error = library.openForReading(file); error != 0)
        throw systemError("CreateFileW", file, static_cast<DWORD>(error));
    const WORD machine = machineOf(std::span(head).first(backup::readFully(library, head).bytes));
    const auto* const program = reinterpret_cast<const char*>(::GetModuleHandleW(nullptr));
    const WORD own = machineOf({program, kHeadBytes});
    if (machine == own) return;
    const std::string what = machine == 0 ? "it is no library" : "the library is " + machineName(machine);
    throw Failure(code::kDominoBitness, Phase::runtime, what + ", this Node.js is " + machineName(own), file);
}

Failure loadFailure(const std::string& file, DWORD error) {
    Failure failure = systemError("LoadLibraryExW", file, error);
    if (error == ERROR_BAD_EXE_FORMAT) failure.code = code::kDominoBitness;
    // The library itself is there, one that it needs is not found or does not start.
    if (error == ERROR_MOD_NOT_FOUND || error == ERROR_PROC_NOT_FOUND || error == ERROR_DLL_INIT_FAILED)
        failure.code = code::kDominoEnvironment;
    return failure;
}

}  // namespace

void requireTrustedFile(const std::string& file) {
    // Not in the extended form, of whose root the libraries of the compilers have different opinions.
    const std::filesystem::path resolved = backup::toUtf16(resolve(file));
    requireTrusted(resolved, kReplacing);
    requireTrusted(resolved.parent_path(), kReplacing);
    // Not the root of the volume, which nobody can rename; that ordinary users may make new directories there is usual.
    for (auto directory = resolved.parent_path().parent_path(); directory.has_relative_path();
         directory = directory.parent_path())
        requireTrusted(directory, kMovingAway);
}

std::unique_ptr<Library> Library::load(const std::string& programDirectory) {
    const std::string file = backup::utf8Of(pathOf(programDirectory) / kLibraryName);
    if (!backup::isAbsolute(programDirectory))
        throw Failure(code::kDominoLibrary, Phase::runtime, "the program directory must be an absolute path", file);
    requireTrustedFile(file);
    requireSameMachine(file);
    requireOwn(::GetModuleHandleW(backup::toUtf16(file).c_str()), file);
    // Domino loads more of its libraries later, by their bare names. This also takes the current directory out of the
    // search of the whole process, where no library should come from.
    ::SetDllDirectoryW(backup::toUtf16(programDirectory).c_str());
    // The libraries it is linked with come from beside it and from the system, and from nowhere else. The loader does
    // not take extended paths for this.
    const ::HMODULE handle = ::LoadLibraryExW(backup::toUtf16(file).c_str(), nullptr,
                                              LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (handle == nullptr) throw loadFailure(file, ::GetLastError());
    own(handle);
    std::unique_ptr<Library> library(new Library());
    library->resolve([handle](const char* name) { return reinterpret_cast<void*>(::GetProcAddress(handle, name)); },
                     file);
    return library;
}

void callAtExit(void (* /*function*/)()) {}

}  // namespace domino_vss::domino
