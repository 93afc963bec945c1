// A writer that another compiler has built: clang for the target of Microsoft's, whose rules for names, virtual tables
// and returned structures it follows. What mingw-w64 cannot check, because it has rules of its own, is here as a
// program of others has it: a class that derives from the CVssWriter in vssapi.dll, by its decorated names, and with
// ex=1 one like the CVssWriterEx of present headers. Logs like writer.cpp.
//
//   msvc_writer.exe log=FILE [ex=1] [veto=1]
//
// Ends when FILE.stop exists. Uses no header and no C runtime: there are none for this target here.

using BYTE = unsigned char;
using UINT = unsigned;
using LONG = long;
using DWORD = unsigned long;
using HRESULT = long;
using HANDLE = void*;
// As in the headers of 2003; wchar_t would change the decorated names.
using WCHAR = unsigned short;
using LPCWSTR = const WCHAR*;

struct _GUID {
    unsigned long Data1;
    unsigned short Data2;
    unsigned short Data3;
    BYTE Data4[8];
};
using VSS_ID = _GUID;

enum VSS_USAGE_TYPE { VSS_UT_USERDATA = 3 };
enum VSS_SOURCE_TYPE { VSS_ST_OTHER = 3 };
enum _VSS_APPLICATION_LEVEL { VSS_APP_BACK_END = 2 };
enum VSS_ALTERNATE_WRITER_STATE { VSS_AWS_NO_ALTERNATE_WRITER = 1 };
enum _VSS_BACKUP_TYPE { VSS_BT_UNDEFINED };
enum _VSS_RESTORE_TYPE { VSS_RTYPE_UNDEFINED };
enum VSS_COMPONENT_TYPE { VSS_CT_FILEGROUP = 2 };

extern "C" {
__declspec(dllimport) HANDLE CreateFileW(LPCWSTR, DWORD, DWORD, void*, DWORD, DWORD, HANDLE);
__declspec(dllimport) int WriteFile(HANDLE, const void*, DWORD, DWORD*, void*);
__declspec(dllimport) int CloseHandle(HANDLE);
__declspec(dllimport) DWORD GetFileAttributesW(LPCWSTR);
__declspec(dllimport) LPCWSTR GetCommandLineW();
__declspec(dllimport) void Sleep(DWORD);
__declspec(dllimport) void ExitProcess(UINT);
__declspec(dllimport) HRESULT CoInitializeEx(void*, DWORD);
__declspec(dllimport) void CoUninitialize();

void* memset(void* to, int byte, unsigned long long count) {
    auto* const bytes = static_cast<volatile BYTE*>(to);
    for (unsigned long long i = 0; i < count; ++i) bytes[i] = static_cast<BYTE>(byte);
    return to;
}

void* memcpy(void* to, const void* from, unsigned long long count) {
    auto* const bytes = static_cast<volatile BYTE*>(to);
    for (unsigned long long i = 0; i < count; ++i) bytes[i] = static_cast<const BYTE*>(from)[i];
    return to;
}

int _purecall() {
    ExitProcess(9);
    return 0;
}
}

inline void* operator new(unsigned long long, void* place) noexcept {
    return place;
}
// Called by the deleting destructors; nothing is allocated.
void operator delete(void*) noexcept {}
void operator delete(void*, unsigned long long) noexcept {}

namespace {

constexpr unsigned kLongestName = 200;
WCHAR logFile[kLongestName];

/** The end of `name=` in the command line; nullptr if it is not there. */
LPCWSTR argument(const char* name) {
    for (LPCWSTR at = GetCommandLineW(); *at != 0; ++at) {
        unsigned i = 0;
        while (name[i] != 0 && at[i] == static_cast<WCHAR>(name[i])) ++i;
        if (name[i] == 0) return at + i;
    }
    return nullptr;
}

/** One line of the log, with a space between its words. */
class Line {
public:
    explicit Line(const char* name) { add(name); }
    ~Line() {
        text_[length_++] = '\n';
        constexpr DWORD kAppend = 4;
        constexpr DWORD kShareReadAndWrite = 3;
        constexpr DWORD kOpenAlways = 4;
        const HANDLE file = CreateFileW(logFile, kAppend, kShareReadAndWrite, nullptr, kOpenAlways, 0, nullptr);
        DWORD wrote = 0;
        WriteFile(file, text_, length_, &wrote, nullptr);
        CloseHandle(file);
    }
    Line& add(const char* word) {
        for (; *word != 0 && length_ + 1 < sizeof text_; ++word) text_[length_++] = *word;
        return *this;
    }
    Line& hex(const char* name, unsigned long value) {
        add(name);
        for (int shift = 28; shift >= 0; shift -= 4) text_[length_++] = "0123456789abcdef"[(value >> shift) & 15];
        return *this;
    }
    Line& flag(const char* name, bool value) { return add(name).add(value ? "1" : "0"); }

private:
    char text_[512];
    unsigned length_ = 0;
};

LPCWSTR wide(const char16_t* text) {
    return reinterpret_cast<LPCWSTR>(text);
}

constexpr VSS_ID kWriterId{0x5f6d1a3e, 0x0c1b, 0x4c55, {0x9b, 0x1c, 0x7a, 0x1f, 0xb1, 0xd0, 0xc0, 0x01}};
constexpr HRESULT kRetryable = static_cast<HRESULT>(0x800423f3);

bool isNull(const VSS_ID& id) {
    BYTE all = 0;
    for (unsigned i = 0; i < sizeof id; ++i) all |= reinterpret_cast<const BYTE*>(&id)[i];
    return all == 0;
}

}  // namespace

// Outside the unnamed namespace: their names are part of the decorated ones.

class IVssWriterComponents;

class IVssCreateWriterMetadata {
public:
    virtual HRESULT AddIncludeFiles(LPCWSTR, LPCWSTR, bool, LPCWSTR) = 0;
    virtual HRESULT AddExcludeFiles(LPCWSTR, LPCWSTR, bool) = 0;
    virtual HRESULT AddComponent(VSS_COMPONENT_TYPE, LPCWSTR, LPCWSTR, LPCWSTR, const BYTE*, UINT, bool, bool, bool,
                                 bool, DWORD) = 0;
    virtual HRESULT AddDatabaseFiles(LPCWSTR, LPCWSTR, LPCWSTR, LPCWSTR, DWORD) = 0;
    virtual HRESULT AddDatabaseLogFiles(LPCWSTR, LPCWSTR, LPCWSTR, LPCWSTR, DWORD) = 0;
    virtual HRESULT AddFilesToFileGroup(LPCWSTR, LPCWSTR, LPCWSTR, LPCWSTR, bool, LPCWSTR, DWORD) = 0;
    virtual HRESULT SetRestoreMethod(int, LPCWSTR, LPCWSTR, int, bool) = 0;
    virtual HRESULT AddAlternateLocationMapping(LPCWSTR, LPCWSTR, bool, LPCWSTR) = 0;
    virtual HRESULT AddComponentDependency(LPCWSTR, LPCWSTR, VSS_ID, LPCWSTR, LPCWSTR) = 0;
    virtual HRESULT SetBackupSchema(DWORD) = 0;
};

struct IUnknown {
    virtual HRESULT QueryInterface(const _GUID&, void**) = 0;
    virtual unsigned long AddRef() = 0;
    virtual unsigned long Release() = 0;
};

struct IVssCreateWriterMetadataFull : IVssCreateWriterMetadata {
    virtual HRESULT GetDocument(void**) = 0;
    virtual HRESULT SaveAsXML(WCHAR**) = 0;
};

struct IVssCreateWriterMetadataEx : IVssCreateWriterMetadataFull, IUnknown {
    virtual HRESULT AddExcludeFilesFromSnapshot(LPCWSTR, LPCWSTR, bool) = 0;
};

struct IVssWriterImpl : IUnknown {
    virtual HRESULT Initialize(VSS_ID, LPCWSTR, LPCWSTR, DWORD, DWORD, VSS_USAGE_TYPE, VSS_SOURCE_TYPE,
                               _VSS_APPLICATION_LEVEL, DWORD, VSS_ALTERNATE_WRITER_STATE, bool) = 0;
    virtual HRESULT Subscribe(DWORD, DWORD) = 0;
    virtual HRESULT Unsubscribe() = 0;
    virtual void Uninitialize() = 0;
    virtual LPCWSTR* GetCurrentVolumeArray() = 0;
    virtual UINT GetCurrentVolumeCount() = 0;
    virtual HRESULT GetSnapshotDeviceName(LPCWSTR, LPCWSTR*) = 0;
    virtual VSS_ID GetCurrentSnapshotSetId() = 0;
    virtual LONG GetContext() = 0;
    virtual _VSS_APPLICATION_LEVEL GetCurrentLevel() = 0;
    virtual bool IsPathAffected(LPCWSTR) = 0;
    virtual bool IsBootableSystemStateBackedUp() = 0;
    virtual bool AreComponentsSelected() = 0;
    virtual _VSS_BACKUP_TYPE GetBackupType() = 0;
    virtual _VSS_RESTORE_TYPE GetRestoreType() = 0;
    virtual HRESULT SetWriterFailure(HRESULT) = 0;
};

/** The class of 2003, whose members are in the DLL. */
class __declspec(dllimport) CVssWriter {
public:
    CVssWriter();
    virtual ~CVssWriter();
    HRESULT Initialize(VSS_ID, LPCWSTR, VSS_USAGE_TYPE, VSS_SOURCE_TYPE, _VSS_APPLICATION_LEVEL, DWORD,
                       VSS_ALTERNATE_WRITER_STATE, bool, LPCWSTR);
    HRESULT Subscribe(DWORD);
    HRESULT Unsubscribe();
    virtual bool OnIdentify(IVssCreateWriterMetadata*);
    virtual bool OnPrepareBackup(IVssWriterComponents*);
    virtual bool OnPrepareSnapshot() = 0;
    virtual bool OnFreeze() = 0;
    virtual bool OnThaw() = 0;
    virtual bool OnAbort() = 0;
    virtual bool OnBackupComplete(IVssWriterComponents*);
    virtual bool OnBackupShutdown(VSS_ID);
    virtual bool OnPreRestore(IVssWriterComponents*);
    virtual bool OnPostRestore(IVssWriterComponents*);
    virtual bool OnPostSnapshot(IVssWriterComponents*);
    virtual bool OnBackOffIOOnVolume(WCHAR*, VSS_ID, VSS_ID);
    virtual bool OnContinueIOOnVolume(WCHAR*, VSS_ID, VSS_ID);
    virtual bool OnVSSShutdown();
    virtual bool OnVSSApplicationStartup();

protected:
    UINT GetCurrentVolumeCount() const;
    HRESULT GetSnapshotDeviceName(LPCWSTR, LPCWSTR*) const;
    VSS_ID GetCurrentSnapshotSetId() const;
    LONG GetContext() const;
    _VSS_APPLICATION_LEVEL GetCurrentLevel() const;
    bool IsPathAffected(LPCWSTR) const;
    bool AreComponentsSelected() const;
    HRESULT SetWriterFailure(HRESULT);

private:
    void* implementation_;
};
static_assert(sizeof(CVssWriter) == 16);

class CVssWriterEx;
extern "C" __declspec(dllimport) HRESULT CreateWriterEx(CVssWriterEx*, IVssWriterImpl**);

/** The class of present headers: all of it is in the program, and passes its calls on. */
class CVssWriterEx {
public:
    CVssWriterEx() = default;
    virtual ~CVssWriterEx() {
        if (implementation_ == nullptr) return;
        implementation_->Uninitialize();
        implementation_->Release();
    }
    HRESULT Initialize(VSS_ID id, LPCWSTR name, VSS_USAGE_TYPE usage, VSS_SOURCE_TYPE source,
                       _VSS_APPLICATION_LEVEL level, DWORD timeoutMs, VSS_ALTERNATE_WRITER_STATE alternate,
                       bool throttlingOnly, LPCWSTR instance) {
        const HRESULT created = CreateWriterEx(this, &implementation_);
        if (created != 0) return created;
        return implementation_->Initialize(id, name, instance, 0, 0, usage, source, level, timeoutMs, alternate,
                                           throttlingOnly);
    }
    HRESULT Subscribe(DWORD events) { return implementation_->Subscribe(0, events); }
    HRESULT Unsubscribe() { return implementation_->Unsubscribe(); }
    virtual bool OnIdentify(IVssCreateWriterMetadata*) { return false; }
    virtual bool OnPrepareBackup(IVssWriterComponents*) { return true; }
    virtual bool OnPrepareSnapshot() = 0;
    virtual bool OnFreeze() = 0;
    virtual bool OnThaw() = 0;
    virtual bool OnAbort() = 0;
    virtual bool OnBackupComplete(IVssWriterComponents*) { return true; }
    virtual bool OnBackupShutdown(VSS_ID) { return true; }
    virtual bool OnPreRestore(IVssWriterComponents*) { return true; }
    virtual bool OnPostRestore(IVssWriterComponents*) { return true; }
    virtual bool OnPostSnapshot(IVssWriterComponents*) { return true; }
    virtual bool OnBackOffIOOnVolume(WCHAR*, VSS_ID, VSS_ID) { return true; }
    virtual bool OnContinueIOOnVolume(WCHAR*, VSS_ID, VSS_ID) { return true; }
    virtual bool OnVSSShutdown() { return true; }
    virtual bool OnVSSApplicationStartup() { return true; }
    virtual bool OnIdentifyEx(IVssCreateWriterMetadataEx*) { return false; }

protected:
    UINT GetCurrentVolumeCount() const { return implementation_->GetCurrentVolumeCount(); }
    HRESULT GetSnapshotDeviceName(LPCWSTR volume, LPCWSTR* device) const {
        return implementation_->GetSnapshotDeviceName(volume, device);
    }
    VSS_ID GetCurrentSnapshotSetId() const { return implementation_->GetCurrentSnapshotSetId(); }
    LONG GetContext() const { return implementation_->GetContext(); }
    _VSS_APPLICATION_LEVEL GetCurrentLevel() const { return implementation_->GetCurrentLevel(); }
    bool IsPathAffected(LPCWSTR path) const { return implementation_->IsPathAffected(path); }
    bool AreComponentsSelected() const { return implementation_->AreComponentsSelected(); }
    HRESULT SetWriterFailure(HRESULT failure) { return implementation_->SetWriterFailure(failure); }

private:
    IVssWriterImpl* implementation_ = nullptr;
};
static_assert(sizeof(CVssWriterEx) == 16);

namespace {

bool describe(const char* event, IVssCreateWriterMetadata& metadata) {
    Line line(event);
    return metadata.AddComponent(VSS_CT_FILEGROUP, wide(u"Server"), wide(u"Databases"), wide(u"All databases"), nullptr,
                                 0, false, false, true, true, 0) == 0 &&
           metadata.AddFilesToFileGroup(wide(u"Server"), wide(u"Databases"), wide(u"C:\\Data"), wide(u"*.nsf"), true,
                                        nullptr, 0xf0f) == 0;
}

template <typename Base>
class Writer : public Base {
public:
    ~Writer() override { Line("destroyed"); }
    bool OnIdentify(IVssCreateWriterMetadata* metadata) override { return describe("OnIdentify", *metadata); }
    bool OnPrepareSnapshot() override { return event("OnPrepareSnapshot"); }
    bool OnFreeze() override {
        event("OnFreeze");
        if (argument("veto=1") == nullptr) return true;
        Line("set").hex(" ", static_cast<unsigned long>(this->SetWriterFailure(kRetryable)));
        return false;
    }
    bool OnThaw() override { return event("OnThaw"); }
    bool OnAbort() override { return event("OnAbort"); }
    bool OnBackupShutdown(VSS_ID set) override {
        Line("OnBackupShutdown").flag(" told=", !isNull(set)).flag(" same=", same(set, prepared_));
        return true;
    }
    bool OnPostSnapshot(IVssWriterComponents*) override { return event("OnPostSnapshot"); }

private:
    static bool same(const VSS_ID& one, const VSS_ID& other) {
        for (unsigned i = 0; i < sizeof one; ++i)
            if (reinterpret_cast<const BYTE*>(&one)[i] != reinterpret_cast<const BYTE*>(&other)[i]) return false;
        return true;
    }

    bool event(const char* name) {
        prepared_ = this->GetCurrentSnapshotSetId();
        LPCWSTR device = nullptr;
        const HRESULT found = this->GetSnapshotDeviceName(wide(u"C:\\"), &device);
        Line(name)
            .flag(" set=", !isNull(prepared_))
            .hex(" context=", static_cast<unsigned long>(this->GetContext()))
            .hex(" volumes=", this->GetCurrentVolumeCount())
            .flag(" affected=", this->IsPathAffected(wide(u"C:\\Data")))
            .flag(" other=", this->IsPathAffected(wide(u"D:\\Data")))
            .flag(" selected=", this->AreComponentsSelected())
            .hex(" level=", this->GetCurrentLevel())
            .hex(" device=", static_cast<unsigned long>(found));
        return true;
    }

    VSS_ID prepared_{};
};

class WriterEx final : public Writer<CVssWriterEx> {
public:
    bool OnIdentifyEx(IVssCreateWriterMetadataEx* metadata) override {
        return describe("OnIdentifyEx", *metadata) &&
               metadata->AddExcludeFilesFromSnapshot(wide(u"C:\\Data"), wide(u"*.tmp"), true) == 0;
    }
};

template <typename Kind>
UINT serve() {
    alignas(Kind) BYTE place[sizeof(Kind)];
    auto* const writer = new (static_cast<void*>(place)) Kind;
    constexpr DWORD kBackupAndRestoreEvents = 6;
    HRESULT result = writer->Initialize(kWriterId, wide(u"Writer of another compiler"), VSS_UT_USERDATA, VSS_ST_OTHER,
                                        VSS_APP_BACK_END, 60'000, VSS_AWS_NO_ALTERNATE_WRITER, false, nullptr);
    if (result == 0) result = writer->Subscribe(kBackupAndRestoreEvents);
    Line("started").hex(" ", static_cast<unsigned long>(result));
    if (result != 0) return 1;
    WCHAR stop[kLongestName];
    unsigned length = 0;
    for (; logFile[length] != 0; ++length) stop[length] = logFile[length];
    for (const char character : ".stop") stop[length++] = static_cast<WCHAR>(character);
    constexpr DWORD kNoFile = 0xffff'ffff;
    while (GetFileAttributesW(stop) == kNoFile) Sleep(10);
    Line("unsubscribed").hex(" ", static_cast<unsigned long>(writer->Unsubscribe()));
    // As for `delete`: one slot, which destroys the object and then gives its memory to the function above.
    delete writer;
    return 0;
}

}  // namespace

extern "C" void start() {
    unsigned length = 0;
    if (LPCWSTR at = argument("log="))
        while (*at > ' ' && length + sizeof ".stop" < kLongestName) logFile[length++] = *at++;
    CoInitializeEx(nullptr, 0);
    const UINT code = argument("ex=1") != nullptr ? serve<WriterEx>() : serve<Writer<CVssWriter>>();
    CoUninitialize();
    ExitProcess(code);
}
