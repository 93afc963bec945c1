#include <windows.h>

#include <array>
#include <cstring>
#include <span>

#include "domino/library.h"
#include "system/current_call.h"
#include "system/failure.h"
#include "system/file.h"
#include "system/file_system.h"
#include "system/path.h"
#include "system/trust.h"

namespace domino_vss::domino {

namespace {

constexpr const char* kLibraryName = "nnotes.dll";

Failure systemError(const char* operation, const std::string& subject, DWORD error) {
    return systemFailure(code::kDominoLibrary, Phase::runtime, operation, subject, static_cast<int>(error));
}

template <typename Structure>
bool copyFrom(std::span<const char> image, std::size_t offset, Structure& structure) {
    if (offset > image.size() || image.size() - offset < sizeof structure) return false;
    std::memcpy(&structure, image.data() + offset, sizeof structure);
    return true;
}

/// The machine type in the headers of a library or program; 0 if the file is neither.
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

/// The loader only reports "not a valid Win32 application", not which of the two is wrong.
void requireSameMachine(const std::string& file) {
    constexpr std::size_t kHeadBytes = 4096;
    std::array<char, kHeadBytes> head{};
    File library;
    if (const int error = library.openForReading(file); error != 0)
        throw systemError("CreateFileW", file, static_cast<DWORD>(error));
    const WORD machine = machineOf(std::span(head).first(readFully(library, head).bytes));
    const auto* const program = reinterpret_cast<const char*>(::GetModuleHandleW(nullptr));
    const WORD own = machineOf({program, kHeadBytes});
    if (machine == own) return;
    const std::string what = machine == 0 ? "it is not a library" : "the library is " + machineName(machine);
    throw Failure(code::kDominoBitness, Phase::runtime, what + ", this Node.js is " + machineName(own), file);
}

/// The icacls command that leaves ordinary users only the rights that Program Files gives them: read and execute.
/// Groups are given by SID, because their names are localised.
std::string takingRightsAway(const std::string& path) {
    std::error_code error;
    const bool isDirectory = std::filesystem::is_directory(pathOf(path), error);
    return "icacls \"" + path + "\" /inheritance:d /remove:g *S-1-1-0 *S-1-5-11 *S-1-5-4 /grant:r \"*S-1-5-32-545:" +
           (isDirectory ? "(OI)(CI)" : "") + "(RX)\"";
}

Failure loadFailure(const std::string& file, DWORD error) {
    Failure failure = systemError("LoadLibraryExW", file, error);
    if (error == ERROR_BAD_EXE_FORMAT) failure.code = code::kDominoBitness;
    // The library exists, but one of its dependencies is missing or fails to initialise.
    if (error == ERROR_MOD_NOT_FOUND || error == ERROR_PROC_NOT_FOUND || error == ERROR_DLL_INIT_FAILED)
        failure.code = code::kDominoEnvironment;
    return failure;
}

}  // namespace

void requireTrustedFile(const std::string& file) {
    std::string resolved;
    if (const int error = resolvePath(file, resolved); error != 0)
        throw systemError("GetFinalPathNameByHandleW", file, static_cast<DWORD>(error));
    // The directory as well: a library placed beside this one would be loaded with it.
    const std::filesystem::path path = toUtf16(resolved);
    for (const std::string& part : {resolved, utf8Of(path.parent_path())})
        if (const std::string open = openToOrdinaryUsers(part, code::kDominoLibrary); !open.empty())
            throw Failure(code::kDominoLibraryUnsafe, Phase::runtime,
                          "ordinary users can write to it, so the library is not loaded: " + takingRightsAway(open),
                          open);
}

std::unique_ptr<Library> Library::load(const std::string& programDirectory, bool trusted) {
    const std::string file = utf8Of(pathOf(programDirectory) / kLibraryName);
    if (!isAbsolute(programDirectory))
        throw Failure(code::kDominoLibrary, Phase::runtime, "the program directory must be an absolute path", file);
    if (!trusted) requireTrustedFile(file);
    requireSameMachine(file);
    requireOwn(::GetModuleHandleW(toUtf16(file).c_str()), file);
    // Domino later loads more of its libraries by name only. This also removes the current directory from the search
    // path of the whole process; no library should come from there.
    if (::SetDllDirectoryW(toUtf16(programDirectory).c_str()) == 0)
        throw systemFailure(code::kDominoLibrary, Phase::runtime, "SetDllDirectoryW", programDirectory,
                            static_cast<int>(::GetLastError()));
    // Its dependencies are loaded only from its own directory and the system directory. The loader does not accept
    // extended paths (\\?\) for this.
    CurrentCall::note("LoadLibraryExW");
    const ::HMODULE handle = ::LoadLibraryExW(toUtf16(file).c_str(), nullptr,
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
