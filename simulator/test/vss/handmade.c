/* A requester as written in other languages: no VSS headers, vtable slots by number, all spellings of the exports,
 * GUIDs by value passed as pointers, as the calling convention requires. */

#include <windows.h>
/* after windows.h */
#include <objbase.h>

#include <stdio.h>
#include <string.h>

typedef HRESULT(STDMETHODCALLTYPE* Create)(void***);
typedef void(STDMETHODCALLTYPE* FreeProperties)(void*);

static void fail(const char* what, long result) {
    printf("%s: 0x%08lx\n", what, result);
    fflush(stdout);
    ExitProcess(1);
}

static HRESULT call1(void** object, int slot, void* a) {
    return ((HRESULT(STDMETHODCALLTYPE*)(void*, void*))((void**)*object)[slot])(object, a);
}

static HRESULT call3(void** object, int slot, void* a, void* b, void* c) {
    return ((HRESULT(STDMETHODCALLTYPE*)(void*, void*, void*, void*))((void**)*object)[slot])(object, a, b, c);
}

static void ok(const char* what, HRESULT result) {
    if (result != 0) fail(what, result);
}

/* Wait(INFINITE), QueryStatus, Release. */
static void finish(void** async) {
    HRESULT status = 0;
    ok("Wait", ((HRESULT(STDMETHODCALLTYPE*)(void*, DWORD))((void**)*async)[4])(async, 0xffffffff));
    ok("QueryStatus", ((HRESULT(STDMETHODCALLTYPE*)(void*, HRESULT*, INT*))((void**)*async)[5])(async, &status, NULL));
    if (status != 0x4230a) fail("status", status);
    call1(async, 2, NULL);
}

static void backup(Create create, FreeProperties freeProperties) {
    void **object = NULL, **async = NULL;
    GUID none, set, snapshot;
    unsigned char properties[128];
    wchar_t volume[] = L"C:\\", *device = NULL;
    memset(&none, 0, sizeof none);
    ok("Create", create((void***)&object));
    ok("InitializeForBackup", call1(object, 5, NULL));
    ok("SetContext", call1(object, 35, (void*)0x10));
    ok("StartSnapshotSet", call1(object, 36, &set));
    ok("AddToSnapshotSet", call3(object, 37, volume, &none, &snapshot));
    ok("DoSnapshotSet", call1(object, 38, &async));
    finish(async);
    ok("GetSnapshotProperties", call3(object, 42, &snapshot, properties, NULL));
    if (memcmp(properties, &snapshot, 16) != 0 || memcmp(properties + 16, &set, 16) != 0) fail("ids", 0);
    memcpy(&device, properties + 40, sizeof device);
    if (wcsncmp(device, L"\\\\?\\GLOBALROOT\\Device\\HarddiskVolumeShadowCopy", 46) != 0) fail("device", 0);
    freeProperties(properties);
    if (call1(object, 2, NULL) != 0) fail("references left", 0);
}

int main(void) {
    static const char* const creators[] = {"CreateVssBackupComponentsInternal", "CreateVssBackupComponents",
                                           "?CreateVssBackupComponents@@YAJPEAPEAVIVssBackupComponents@@@Z"};
    static const char* const freers[] = {"VssFreeSnapshotPropertiesInternal", "VssFreeSnapshotProperties",
                                         "?VssFreeSnapshotProperties@@YAXPEAU_VSS_SNAPSHOT_PROP@@@Z"};
    static const char* const others[] = {"IsVolumeSnapshotted",
                                         "IsVolumeSnapshottedInternal",
                                         "ShouldBlockRevert",
                                         "ShouldBlockRevertInternal",
                                         "CreateVssExamineWriterMetadataInternal",
                                         "?CreateVssExamineWriterMetadata@@YAJPEAGPEAPEAVIVssExamineWriterMetadata@@@Z",
                                         "GetProviderMgmtInterface",
                                         "DllGetClassObject",
                                         "DllCanUnloadNow"};
    HMODULE library = LoadLibraryExW(L"vssapi.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    size_t i;
    ok("CoInitializeEx", CoInitializeEx(NULL, COINIT_MULTITHREADED));
    if (library == NULL) fail("LoadLibrary", (long)GetLastError());
    for (i = 0; i < 3; ++i) {
        Create create = (Create)(void*)GetProcAddress(library, creators[i]);
        FreeProperties freeProperties = (FreeProperties)(void*)GetProcAddress(library, freers[i]);
        if (create == NULL) fail(creators[i], 0);
        if (freeProperties == NULL) fail(freers[i], 0);
        backup(create, freeProperties);
    }
    for (i = 0; i < sizeof others / sizeof *others; ++i) {
        if (GetProcAddress(library, others[i]) == NULL) fail(others[i], 0);
    }
    FreeLibrary(library);
    CoUninitialize();
    puts("ok");
    return 0;
}
