#include "shadow/vss/cabinet.h"

#include <windows.h>

#include <fci.h>
#include <fdi.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <new>

#include "system/failure.h"
#include "system/file.h"
#include "system/path.h"
#include "system/system_error.h"

namespace domino_vss::vss {

namespace {

// cabinet.dll passes names through to its callbacks without interpreting them, so they are UTF-8. It limits a name to
// 255 bytes, so the cabinet itself is opened under a placeholder name.
constexpr const char* kCabinetStandIn = "cabinet";

struct CabinetLibrary {
    decltype(&::FCICreate) create = nullptr;
    decltype(&::FCIAddFile) addFile = nullptr;
    decltype(&::FCIFlushCabinet) flush = nullptr;
    decltype(&::FCIDestroy) destroy = nullptr;
    decltype(&::FDICreate) open = nullptr;
    decltype(&::FDICopy) copy = nullptr;
    decltype(&::FDIDestroy) close = nullptr;
};

template <typename Function>
void find(HMODULE library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(reinterpret_cast<void (*)()>(::GetProcAddress(library, name)));
    if (function == nullptr)
        throw systemFailure(code::kVssLibrary, Phase::end, name, "cabinet.dll", static_cast<int>(::GetLastError()));
}

const CabinetLibrary& cabinetLibrary() {
    static const CabinetLibrary instance = [] {
        const HMODULE library = ::LoadLibraryExW(L"cabinet.dll", nullptr, LOAD_LIBRARY_SEARCH_SYSTEM32);
        if (library == nullptr)
            throw systemFailure(code::kVssLibrary, Phase::end, "LoadLibraryEx", "cabinet.dll",
                                static_cast<int>(::GetLastError()));
        CabinetLibrary found;
        find(library, "FCICreate", found.create);
        find(library, "FCIAddFile", found.addFile);
        find(library, "FCIFlushCabinet", found.flush);
        find(library, "FCIDestroy", found.destroy);
        find(library, "FDICreate", found.open);
        find(library, "FDICopy", found.copy);
        find(library, "FDIDestroy", found.close);
        return found;
    }();
    return instance;
}

/// One cabinet at a time per thread: half of the callbacks have no context parameter.
struct Work {
    std::filesystem::path cabinet;
    std::filesystem::path directory;  // reading
    std::vector<std::string> names;   // reading
    DWORD error = ERROR_SUCCESS;      // of the first failed call
    std::string subject;

    void failed(std::string what) {
        if (error != ERROR_SUCCESS) return;
        error = ::GetLastError();
        subject = std::move(what);
    }
};

thread_local Work* current = nullptr;

class CurrentWork {
public:
    explicit CurrentWork(Work& work) noexcept { current = &work; }
    CurrentWork(const CurrentWork&) = delete;
    CurrentWork& operator=(const CurrentWork&) = delete;
    ~CurrentWork() { current = nullptr; }
};

std::filesystem::path fileOf(const char* name) {
    return std::string_view(name) == kCabinetStandIn ? current->cabinet : pathOf(name);
}

/// Runs what a callback does. No exception may pass the C code of cabinet.dll, which frees its memory itself; these
/// callbacks can throw only for lack of memory.
template <typename Result, typename Body>
Result guarded(Result failed, Body body) noexcept {
    try {
        return body();
    } catch (const std::bad_alloc&) {
        if (current->error == ERROR_SUCCESS) current->error = ERROR_NOT_ENOUGH_MEMORY;
        return failed;
    }
}

/// Returns -1 if the file cannot be opened, as the callbacks must.
INT_PTR openFile(const std::filesystem::path& file, DWORD access, DWORD creation) {
    const HANDLE handle =
        ::CreateFileW(file.c_str(), access, FILE_SHARE_READ, nullptr, creation, FILE_ATTRIBUTE_NORMAL, nullptr);
    if (handle == INVALID_HANDLE_VALUE) current->failed(utf8Of(file));
    return reinterpret_cast<INT_PTR>(handle);
}

HANDLE handleOf(INT_PTR file) {
    return reinterpret_cast<HANDLE>(file);
}

void* DIAMONDAPI allocate(ULONG size) {
    return std::malloc(size);  // cabinet.dll requires malloc and free
}

void DIAMONDAPI release(void* memory) {
    std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc)
}

UINT readFrom(INT_PTR file, void* memory, UINT size) {
    DWORD done = 0;
    if (::ReadFile(handleOf(file), memory, size, &done, nullptr) != 0) return done;
    current->failed("read");
    return UINT_MAX;
}

UINT writeTo(INT_PTR file, const void* memory, UINT size) {
    DWORD done = 0;
    if (::WriteFile(handleOf(file), memory, size, &done, nullptr) != 0) return done;
    current->failed("write");
    return UINT_MAX;
}

LONG seekIn(INT_PTR file, LONG distance, int from) {
    return static_cast<LONG>(::SetFilePointer(handleOf(file), distance, nullptr, static_cast<DWORD>(from)));
}

// --- writing --------------------------------------------------------------------------------------------------------

/// The flag of the C library's open that creates a file (_O_CREAT).
constexpr int kCreate = 0x0100;

INT_PTR DIAMONDAPI fciOpen(char* name, int flags, int, int*, void*) {
    return guarded<INT_PTR>(-1, [&] {
        const DWORD creation = (flags & kCreate) != 0 ? CREATE_ALWAYS : OPEN_EXISTING;
        return openFile(fileOf(name), GENERIC_READ | GENERIC_WRITE, creation);
    });
}
UINT DIAMONDAPI fciRead(INT_PTR file, void* memory, UINT size, int*, void*) {
    return readFrom(file, memory, size);
}
UINT DIAMONDAPI fciWrite(INT_PTR file, void* memory, UINT size, int*, void*) {
    return writeTo(file, memory, size);
}
int DIAMONDAPI fciClose(INT_PTR file, int*, void*) {
    return ::CloseHandle(handleOf(file)) != 0 ? 0 : -1;
}
LONG DIAMONDAPI fciSeek(INT_PTR file, LONG distance, int from, int*, void*) {
    return seekIn(file, distance, from);
}
int DIAMONDAPI fciDelete(char* name, int*, void*) {
    return guarded(-1, [&] { return ::DeleteFileW(fileOf(name).c_str()) != 0 ? 0 : -1; });
}
int DIAMONDAPI fciPlaced(PCCAB, char*, LONG, BOOL, void*) {
    return 0;
}
BOOL DIAMONDAPI fciNextCabinet(PCCAB, ULONG, void*) {
    return FALSE;  // everything goes into one cabinet
}
LONG DIAMONDAPI fciProgress(UINT, ULONG, ULONG, void*) {
    return 0;
}

BOOL makeTemporaryName(char* name, int size) {
    std::array<wchar_t, MAX_PATH + 1> directory{};
    std::array<wchar_t, MAX_PATH + 1> file{};
    if (::GetTempPathW(MAX_PATH, directory.data()) == 0 ||
        ::GetTempFileNameW(directory.data(), L"cab", 0, file.data()) == 0) {
        current->failed("a temporary file in " + toUtf8(directory.data()));
        return FALSE;
    }
    const std::string text = toUtf8(file.data());
    ::DeleteFileW(file.data());  // cabinet.dll creates it itself
    if (text.size() >= static_cast<std::size_t>(size)) {
        ::SetLastError(ERROR_FILENAME_EXCED_RANGE);
        current->failed(text);
        return FALSE;
    }
    *std::ranges::copy(text, name).out = '\0';
    return TRUE;
}

BOOL DIAMONDAPI fciTemporary(char* name, int size, void*) {
    return guarded<BOOL>(FALSE, [&] { return makeTemporaryName(name, size); });
}

INT_PTR DIAMONDAPI fciOpenSource(char* name, USHORT* date, USHORT* time, USHORT* attributes, int*, void*) {
    const auto open = [&] { return openFile(fileOf(name), GENERIC_READ, OPEN_EXISTING); };
    const INT_PTR file = guarded<INT_PTR>(-1, open);
    if (file == -1) return -1;
    FILETIME written{};
    FILETIME local{};
    ::GetFileTime(handleOf(file), nullptr, nullptr, &written);
    ::FileTimeToLocalFileTime(&written, &local);
    ::FileTimeToDosDateTime(&local, date, time);
    *attributes = _A_NAME_IS_UTF;
    return file;
}

// --- reading --------------------------------------------------------------------------------------------------------

INT_PTR DIAMONDAPI fdiOpen(char* name, int, int) {
    return guarded<INT_PTR>(-1, [&] { return openFile(fileOf(name), GENERIC_READ, OPEN_EXISTING); });
}
UINT DIAMONDAPI fdiRead(INT_PTR file, void* memory, UINT size) {
    return readFrom(file, memory, size);
}
UINT DIAMONDAPI fdiWrite(INT_PTR file, void* memory, UINT size) {
    return writeTo(file, memory, size);
}
int DIAMONDAPI fdiClose(INT_PTR file) {
    return ::CloseHandle(handleOf(file)) != 0 ? 0 : -1;
}
LONG DIAMONDAPI fdiSeek(INT_PTR file, LONG distance, int from) {
    return seekIn(file, distance, from);
}

bool isFileName(std::string_view name) {
    return !name.empty() && name != "." && name != ".." && name.find_first_of("\\/:") == std::string_view::npos;
}

INT_PTR unpack(const std::string& name) {
    if (!isFileName(name)) {
        ::SetLastError(ERROR_INVALID_NAME);
        current->failed(name);
        return -1;
    }
    current->names.push_back(name);
    return openFile(current->directory / toUtf16(name), GENERIC_WRITE, CREATE_ALWAYS);
}

INT_PTR DIAMONDAPI fdiNotify(FDINOTIFICATIONTYPE type, PFDINOTIFICATION notification) {
    switch (type) {
        case fdintCOPY_FILE: return guarded<INT_PTR>(-1, [&] { return unpack(notification->psz1); });
        case fdintCLOSE_FILE_INFO: return fdiClose(notification->hf) == 0 ? TRUE : FALSE;
        case fdintNEXT_CABINET: return -1;
        default: return 0;
    }
}

[[noreturn]] void fail(const Work& work, const char* operation, const std::string& cabinet) {
    if (work.error != ERROR_SUCCESS)
        throw systemFailure(code::kVss, Phase::end, operation, work.subject, static_cast<int>(work.error));
    throw Failure(code::kVss, Phase::end, "not a cabinet file, or a damaged one", cabinet);
}

/// Removes the file at the end of the scope, unless it was renamed.
class NewFile {
public:
    explicit NewFile(std::string name) : name_(std::move(name)) {}
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    ~NewFile() { removeFile(name_); }

    [[nodiscard]] std::filesystem::path path() const { return pathOf(name_); }

private:
    std::string name_;
};

/// Writes the cabinet of `work`; `cabinet` is its name for failures. The file is closed on return.
void pack(const Work& work, const std::string& cabinet, const std::vector<CabinetFile>& files) {
    const CabinetLibrary& library = cabinetLibrary();
    CCAB parameters{};
    parameters.cb = INT_MAX;
    parameters.cbFolderThresh = INT_MAX;
    std::ranges::copy(std::string_view(kCabinetStandIn), std::begin(parameters.szCab));
    ERF error{};
    const std::unique_ptr<void, BOOL(DIAMONDAPI*)(HFCI)> context(
        library.create(&error, fciPlaced, allocate, release, fciOpen, fciRead, fciWrite, fciClose, fciSeek, fciDelete,
                       fciTemporary, &parameters, nullptr),
        library.destroy);
    if (!context) fail(work, "FCICreate", cabinet);
    for (CabinetFile file : files)
        if (library.addFile(context.get(), file.file.data(), file.name.data(), FALSE, fciNextCabinet, fciProgress,
                            fciOpenSource, tcompTYPE_MSZIP) == FALSE)
            fail(work, "FCIAddFile", cabinet);
    if (library.flush(context.get(), FALSE, fciNextCabinet, fciProgress) == FALSE)
        fail(work, "FCIFlushCabinet", cabinet);
}

}  // namespace

void writeCabinet(const std::string& cabinet, const std::vector<CabinetFile>& files) {
    // Written to a temporary name, so that an existing cabinet stays intact until the new one is complete.
    const NewFile fresh(cabinet + ".new");
    Work work;
    work.cabinet = fresh.path();
    const CurrentWork scope(work);
    pack(work, cabinet, files);
    if (::MoveFileExW(work.cabinet.c_str(), pathOf(cabinet).c_str(),
                      MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH) == 0)
        throw systemFailure(code::kVss, Phase::end, "MoveFileEx", cabinet, static_cast<int>(::GetLastError()));
}

std::vector<std::string> readCabinet(const std::string& cabinet, const std::string& directory) {
    const CabinetLibrary& library = cabinetLibrary();
    Work work;
    work.cabinet = pathOf(cabinet);
    work.directory = pathOf(directory);
    const CurrentWork scope(work);
    ERF error{};
    const std::unique_ptr<void, BOOL(DIAMONDAPI*)(HFDI)> context(
        library.open(allocate, release, fdiOpen, fdiRead, fdiWrite, fdiClose, fdiSeek, cpuUNKNOWN, &error),
        library.close);
    if (!context) fail(work, "FDICreate", cabinet);
    std::string name = kCabinetStandIn;
    std::string path;
    if (library.copy(context.get(), name.data(), path.data(), 0, fdiNotify, nullptr, nullptr) == FALSE)
        fail(work, "FDICopy", cabinet);
    return work.names;
}

}  // namespace domino_vss::vss
