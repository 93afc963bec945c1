// A requester in component mode without knowledge of any application: backs up a component by copying its files from
// the shadow, and restores it from there.
//
//   component_requester backup  <class id> <component> <directory> all [<instance name>]
//   component_requester restore <class id> <component> <directory> all|none|failed|silent|wait|die|elsewhere [<instance
//   name>]
//
// The directory receives the files and the document. Prints the state of the writer; exit code 3 means that the writer
// has failed. If writers of this class serve several servers, the instance name selects one; otherwise the first one is
// used. silent: does not report the result for the files; wait: continues after copying when a line is read; die: ends
// there.

#include <algorithm>
#include <fstream>
#include <iterator>

#include "requester.h"

// after windows.h
#include <shlwapi.h>

namespace {

/** In Microsoft's header the class has a second base, which mingw's header lacks. */
struct WriterComponents : IVssWriterComponents, IUnknown {};

struct Request {
    GUID writer{};
    std::wstring component;
    std::wstring directory;
    std::string how;
    /** Empty: any. */
    std::wstring instanceName;
};

std::wstring wide(const char* text) {
    std::wstring result(static_cast<std::size_t>(MultiByteToWideChar(CP_UTF8, 0, text, -1, nullptr, 0)), L'\0');
    MultiByteToWideChar(CP_UTF8, 0, text, -1, result.data(), static_cast<int>(result.size()));
    result.pop_back();
    return result;
}

std::string narrow(const std::wstring& text) {
    std::string result(
        static_cast<std::size_t>(WideCharToMultiByte(CP_UTF8, 0, text.c_str(), -1, nullptr, 0, nullptr, nullptr)),
        '\0');
    WideCharToMultiByte(CP_UTF8, 0, text.c_str(), -1, result.data(), static_cast<int>(result.size()), nullptr, nullptr);
    result.pop_back();
    return result;
}

/** Copies the tree. Files that cannot be read or replaced are reported and skipped. */
int copyTree(const std::wstring& from, const std::wstring& to, const std::vector<std::wstring>& patterns) {
    int copied = 0;
    CreateDirectoryW(to.c_str(), nullptr);
    WIN32_FIND_DATAW found{};
    const HANDLE search = FindFirstFileW((from + L"\\*").c_str(), &found);
    CHECK(search != INVALID_HANDLE_VALUE);
    do {
        const std::wstring name = found.cFileName;
        if (name == L"." || name == L"..") continue;
        const std::wstring source = from + L"\\" + name;
        const std::wstring target = to + L"\\" + name;
        if (found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) {
            copied += copyTree(source, target, patterns);
        } else if (std::none_of(patterns.begin(), patterns.end(), [&](const std::wstring& pattern) {
                       return PathMatchSpecW(name.c_str(), pattern.c_str());
                   })) {
            continue;
        } else if (CopyFileW(source.c_str(), target.c_str(), FALSE)) {
            ++copied;
        } else {
            std::printf("not copied: %s, error %lu\n", narrow(source).c_str(), GetLastError());
        }
    } while (FindNextFileW(search, &found));
    FindClose(search);
    return copied;
}

struct Files {
    std::wstring place;
    std::vector<std::wstring> patterns;
};

/** A writer's metadata. */
struct Described {
    VSS_ID instance{};
    Ptr<IVssExamineWriterMetadata> metadata;
};

/** Finds the requested writer. Writers of one class have instance names; their instance ids change with each start. */
void find(Backup& backup, const Request& request, Described& found) {
    Ptr<IVssBackupComponentsEx> extended;
    UINT count = 0;
    OK(backup->QueryInterface(IID_PPV_ARGS(extended.out())));
    OK(backup->GetWriterMetadataCount(&count));
    for (UINT i = 0; i < count; ++i) {
        VSS_ID other{};
        VSS_ID writer{};
        BSTR name = nullptr;
        BSTR instanceName = nullptr;
        VSS_USAGE_TYPE usage{};
        VSS_SOURCE_TYPE source{};
        Ptr<IVssExamineWriterMetadataEx> metadata;
        OK(extended->GetWriterMetadataEx(i, &found.instance, metadata.out()));
        OK(metadata->GetIdentityEx(&other, &writer, &name, &instanceName, &usage, &source));
        const bool isMeant =
            IsEqualGUID(writer, request.writer) &&
            (request.instanceName.empty() || (instanceName != nullptr && request.instanceName == instanceName));
        SysFreeString(name);
        SysFreeString(instanceName);
        if (!isMeant) continue;
        OK(metadata->QueryInterface(IID_PPV_ARGS(found.metadata.out())));
        return;
    }
    std::puts("there is no such writer");
    std::exit(4);
}

/** The locations of the component's files, from the writer's metadata. */
Files filesOf(const Described& described, const Request& request) {
    UINT included = 0;
    UINT excluded = 0;
    UINT components = 0;
    OK(described.metadata->GetFileCounts(&included, &excluded, &components));
    for (UINT j = 0; j < components; ++j) {
        Ptr<IVssWMComponent> component;
        PVSSCOMPONENTINFO info = nullptr;
        OK(described.metadata->GetComponent(j, component.out()));
        OK(component->GetComponentInfo(&info));
        const UINT fileCount = info->cFileCount;
        const bool isOurs = request.component == info->bstrComponentName && fileCount > 0;
        component->FreeComponentInfo(info);
        if (!isOurs) continue;
        Files files;
        for (UINT k = 0; k < fileCount; ++k) {
            Ptr<IVssWMFiledesc> file;
            BSTR path = nullptr;
            BSTR pattern = nullptr;
            OK(component->GetFile(k, file.out()));
            OK(file->GetPath(&path));
            OK(file->GetFilespec(&pattern));
            CHECK(files.place.empty() || files.place == path);
            files.place = path;
            files.patterns.push_back(pattern);
            SysFreeString(path);
            SysFreeString(pattern);
        }
        return files;
    }
    std::puts("there is no such component");
    std::exit(4);
}

/** Whether the writer has failed; prints its status. */
bool hasFailed(Backup& backup, const Request& request, const char* when) {
    bool failed = false;
    for (const auto& [state, failure, application, message] : statusesOf(backup, request.writer)) {
        std::printf("%s: failure=%08lx application=%08lx message=%s\n", when, static_cast<unsigned long>(failure),
                    static_cast<unsigned long>(application), narrow(message).c_str());
        failed |= failure != S_OK;
    }
    return failed;
}

/** Prints the writer's metadata in its components. */
void printComponents(Backup& backup) {
    UINT count = 0;
    OK(backup->GetWriterComponentsCount(&count));
    for (UINT i = 0; i < count; ++i) {
        Ptr<WriterComponents> writer;
        UINT components = 0;
        OK(backup->GetWriterComponents(i, reinterpret_cast<IVssWriterComponentsExt**>(writer.out())));
        OK(writer->GetComponentCount(&components));
        for (UINT j = 0; j < components; ++j) {
            Ptr<IVssComponent> component;
            BSTR before = nullptr;
            BSTR after = nullptr;
            OK(writer->GetComponent(j, component.out()));
            component->GetPreRestoreFailureMsg(&before);
            component->GetPostRestoreFailureMsg(&after);
            std::printf("component: before=%s after=%s\n", before ? narrow(before).c_str() : "",
                        after ? narrow(after).c_str() : "");
            SysFreeString(before);
            SysFreeString(after);
            Ptr<IVssComponentEx2> extended;
            HRESULT failure = S_OK;
            HRESULT application = S_OK;
            BSTR message = nullptr;
            DWORD reserved = 0;
            OK(component->QueryInterface(IID_PPV_ARGS(extended.out())));
            OK(extended->GetFailure(&failure, &application, &message, &reserved));
            std::printf("component: failure=%08lx application=%08lx message=%s\n", static_cast<unsigned long>(failure),
                        static_cast<unsigned long>(application), message ? narrow(message).c_str() : "");
            SysFreeString(message);
        }
    }
}

int backUp(const Request& request) {
    Backup backup;
    Ptr<IVssAsync> async;
    VSS_ID set{};
    VSS_ID snapshot{};
    initialise(backup);
    OK(backup->SetBackupState(true, false, VSS_BT_FULL, false));
    gather(backup);
    Described described;
    find(backup, request, described);
    const auto [place, patterns] = filesOf(described, request);
    const std::wstring volume = place.substr(0, 3);
    OK(backup->AddComponent(described.instance, request.writer, VSS_CT_FILEGROUP, nullptr, request.component.c_str()));
    OK(backup->StartSnapshotSet(&set));
    OK(backup->AddToSnapshotSet(writable(volume.c_str()), GUID_NULL, &snapshot));
    prepareAndDo(backup);
    const bool isWhole = !hasFailed(backup, request, "snapshot");
    if (isWhole)
        std::printf("copied %d\n",
                    copyTree(deviceOf(backup, snapshot) + L"\\" + place.substr(3), request.directory, patterns));
    else
        printComponents(backup);
    OK(backup->SetBackupSucceeded(described.instance, request.writer, VSS_CT_FILEGROUP, nullptr,
                                  request.component.c_str(), isWhole));
    OK(backup->BackupComplete(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    const BSTR document = documentOf(backup);
    if (isWhole) std::ofstream(narrow(request.directory + L".xml"), std::ios::binary) << narrow(document);
    SysFreeString(document);
    return isWhole ? 0 : 3;
}

int restore(const Request& request) {
    Backup backup;
    Ptr<IVssAsync> async;
    std::ifstream file(narrow(request.directory + L".xml"), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    OK(CreateVssBackupComponents(backup.out()));
    const BSTR document = SysAllocString(wide(text.c_str()).c_str());
    OK(backup->InitializeForRestore(document));
    SysFreeString(document);
    gather(backup);
    Described described;
    Ptr<IVssBackupComponentsEx> extended;
    find(backup, request, described);
    const auto [place, patterns] = filesOf(described, request);
    const wchar_t* const name = request.component.c_str();
    OK(backup->QueryInterface(IID_PPV_ARGS(extended.out())));
    OK(extended->SetSelectedForRestoreEx(request.writer, VSS_CT_FILEGROUP, nullptr, name, true, described.instance));
    if (request.how == "elsewhere")
        OK(backup->AddNewTarget(request.writer, VSS_CT_FILEGROUP, nullptr, name, place.c_str(), L"*", true,
                                L"C:\\elsewhere"));
    OK(backup->PreRestore(async.out()));
    finish(async);
    const bool isRefused = hasFailed(backup, request, "before");
    if (!isRefused) {
        const std::wstring from = request.directory;
        if (request.how != "none") std::printf("copied %d\n", copyTree(from, place, patterns));
        if (request.how == "die") {
            std::fflush(stdout);
            TerminateProcess(GetCurrentProcess(), 9);
        }
        if (request.how == "wait") {
            std::puts("waiting");
            std::fflush(stdout);
            std::getchar();
        }
    }
    const VSS_FILE_RESTORE_STATUS status = request.how == "failed"              ? VSS_RS_FAILED
                                           : request.how == "none" || isRefused ? VSS_RS_NONE
                                                                                : VSS_RS_ALL;
    if (request.how != "silent")
        OK(backup->SetFileRestoreStatus(request.writer, VSS_CT_FILEGROUP, nullptr, name, status));
    OK(backup->PostRestore(async.out()));
    finish(async);
    const bool hasEndedBadly = hasFailed(backup, request, "after");
    printComponents(backup);
    return isRefused || hasEndedBadly ? 3 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    CHECK(argc >= 5);
    Request request;
    OK(CLSIDFromString(wide(argv[2]).c_str(), &request.writer));
    request.component = wide(argv[3]);
    request.directory = wide(argv[4]);
    request.how = argc > 5 ? argv[5] : "";
    request.instanceName = argc > 6 ? wide(argv[6]) : L"";
    OK(CoInitializeEx(nullptr, COINIT_MULTITHREADED));
    const int code = std::string(argv[1]) == "backup" ? backUp(request) : restore(request);
    CoUninitialize();
    return code;
}
