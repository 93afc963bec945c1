#include "shadow/vss/registered_writer.h"

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "shadow/vss/com_failure.h"
#include "shadow/vss/com_string.h"
#include "shadow/vss/vss_codes.h"
#include "shadow/vss/vssapi_library.h"
#include "shadow/vss/writer_table.h"
#include "system/path.h"

namespace domino_vss::vss {

namespace {

/// How long Subscribe may wait for the event system; 0 selects VSS's default.
constexpr DWORD kSubscribeTimeout = 0;
constexpr DWORD kBackupAndRestoreEvents = VSS_SM_BACKUP_EVENTS_FLAG | VSS_SM_RESTORE_EVENTS_FLAG;
/// How long end() waits for running handlers.
constexpr int kHandlerPatienceTicks = 1'000;
constexpr DWORD kTickMs = 10;
constexpr DWORD kSchemaCopy = 0x10;  // VSS_BS_COPY: a backup does not change the databases
/// Also in a snapshot for rollback or data mining, which would otherwise contain torn databases.
constexpr DWORD kRecovery = VSS_CF_BACKUP_RECOVERY | VSS_CF_APP_ROLLBACK_RECOVERY;

/// nullptr for an empty string: VSS expects that for optional strings.
const wchar_t* orNull(const std::wstring& text) {
    return text.empty() ? nullptr : text.c_str();
}

bool describe(const OwnComponents& components, bool restorable, bool autoRecovery, IVssCreateWriterMetadata& metadata) {
    const auto failed = [](HRESULT result) { return FAILED(result); };
    for (const OwnComponent& component : components) {
        const std::wstring path = toUtf16(component.logicalPath);
        const std::wstring name = toUtf16(component.name);
        const std::wstring caption = toUtf16(component.caption);
        // The server is writing to its transaction log, so it cannot be replaced.
        const bool selectable = restorable && component.kind != ComponentKind::transactionLog;
        const bool recovers = autoRecovery && component.kind == ComponentKind::databases;
        if (failed(metadata.AddComponent(VSS_CT_FILEGROUP, orNull(path), name.c_str(), orNull(caption), nullptr, 0,
                                         false, false, true, selectable,
                                         VSS_CF_NOT_SYSTEM_STATE | (recovers ? kRecovery : 0))))
            return false;
        for (const ComponentFiles& files : component.files)
            if (failed(metadata.AddFilesToFileGroup(orNull(path), name.c_str(), toUtf16(files.directory).c_str(),
                                                    toUtf16(files.pattern).c_str(), files.recursive, nullptr)))
                return false;
    }
    // Open databases cannot be replaced. The writer, or a restore without it, takes them offline first and applies
    // change information afterwards.
    const HRESULT method =
        restorable ? metadata.SetRestoreMethod(VSS_RME_RESTORE_IF_CAN_REPLACE, nullptr, nullptr, VSS_WRE_ALWAYS, false)
                   : metadata.SetRestoreMethod(VSS_RME_CUSTOM, nullptr, nullptr, VSS_WRE_NEVER, false);
    return !failed(method) && !failed(metadata.SetBackupSchema(kSchemaCopy));
}

/// The components of this writer that the requester has selected.
Selection selectionOf(IVssWriterImpl& writer, IVssWriterComponents* components) {
    Selection selection;
    selection.components = writer.AreComponentsSelected();
    if (components == nullptr) return selection;
    UINT count = 0;
    require(components->GetComponentCount(&count), "IVssWriterComponents::GetComponentCount", Phase::prepare);
    for (UINT index = 0; index < count; ++index) {
        ComPtr<IVssComponent> component;
        require(components->GetComponent(index, component.GetAddressOf()), "IVssWriterComponents::GetComponent",
                Phase::prepare);
        Bstr path;
        Bstr name;
        require(component->GetLogicalPath(path.put()), "IVssComponent::GetLogicalPath", Phase::prepare);
        require(component->GetComponentName(name.put()), "IVssComponent::GetComponentName", Phase::prepare);
        selection.selected.emplace_back(path.utf8(), name.utf8());
    }
    return selection;
}

FilesRestored filesRestored(VSS_FILE_RESTORE_STATUS status) {
    switch (status) {
        case VSS_RS_NONE: return FilesRestored::none;
        case VSS_RS_ALL: return FilesRestored::all;
        default: return FilesRestored::failed;  // without a status, the restore may have been interrupted
    }
}

/// A component of a restore: the VSS object, and the data for the handlers.
struct Restored {
    ComPtr<IVssComponent> component;
    RestoreComponent read;
};

/// The components to be restored. They may be from a backup made with a different set of components.
std::vector<Restored> restoredOf(IVssWriterComponents& components) {
    std::vector<Restored> selected;
    UINT count = 0;
    require(components.GetComponentCount(&count), "IVssWriterComponents::GetComponentCount", Phase::restore);
    for (UINT index = 0; index < count; ++index) {
        ComPtr<IVssComponent> component;
        VssBool isSelected{};
        require(components.GetComponent(index, component.GetAddressOf()), "IVssWriterComponents::GetComponent",
                Phase::restore);
        require(component->IsSelectedForRestore(&isSelected), "IVssComponent::IsSelectedForRestore", Phase::restore);
        if (isSelected == 0) continue;
        Bstr name;
        Bstr metadata;
        UINT targets = 0;
        VSS_FILE_RESTORE_STATUS status{};
        require(component->GetComponentName(name.put()), "IVssComponent::GetComponentName", Phase::restore);
        // May be missing; the handlers decide what that means.
        static_cast<void>(component->GetBackupMetadata(metadata.put()));
        static_cast<void>(component->GetNewTargetCount(&targets));
        if (FAILED(component->GetFileRestoreStatus(&status))) status = VSS_RS_UNDEFINED;
        selected.push_back({component, {name.utf8(), metadata.utf8(), targets > 0, filesRestored(status)}});
    }
    return selected;
}

/// Identifies the backup that a component belongs to. Parsed by lib/restore/requester-restore.ts.
std::string backupMetadata(const std::string& backup, const OwnComponent& component) {
    return "domino-vss 1 " + backup + " " + component.files.front().directory;
}

/// Does something with each component that the requester has selected, by its number in `own`. What fails is left out.
template <class Act>
void forEachSelected(const OwnComponents& own, IVssWriterComponents& components, Act act) {
    UINT count = 0;
    if (FAILED(components.GetComponentCount(&count))) return;
    for (UINT index = 0; index < count; ++index) {
        ComPtr<IVssComponent> component;
        Bstr name;
        if (FAILED(components.GetComponent(index, component.GetAddressOf())) ||
            FAILED(component->GetComponentName(name.put())))
            continue;
        const auto found = std::ranges::find(own, name.utf8(), &OwnComponent::name);
        if (found != own.end()) act(*component.Get(), static_cast<std::size_t>(found - own.begin()));
    }
}

/// So that a restore finds the change information. A document without it is a backup all the same.
void nameBackup(const std::string& backup, const OwnComponents& own, IVssWriterComponents& components) {
    forEachSelected(own, components, [&](IVssComponent& component, std::size_t number) {
        if (!own[number].files.empty())
            static_cast<void>(component.SetBackupMetadata(toUtf16(backupMetadata(backup, own[number])).c_str()));
    });
}

/// So that the requester sees which of them are not whole. The writer as a whole has a partial failure then.
void tellFailures(const std::vector<ComponentFailure>& failures, const OwnComponents& own,
                  IVssWriterComponents& components) {
    forEachSelected(own, components, [&](IVssComponent& component, std::size_t number) {
        const auto failure = std::ranges::find(failures, number, &ComponentFailure::component);
        if (failure == failures.end()) return;
        const std::wstring text = toUtf16(failure->text);
        ComPtr<IVssComponentEx2> extended;
        if (FAILED(component.QueryInterface(IID_PPV_ARGS(extended.GetAddressOf())))) return;
        static_cast<void>(extended->SetPostSnapshotFailureMsg(text.c_str()));
        static_cast<void>(extended->SetFailure(static_cast<HRESULT>(failure->result),
                                               static_cast<HRESULT>(failure->applicationResult), text.c_str(), 0));
    });
}

}  // namespace

/// The object that VSS calls. No exception may leave its functions.
class RegisteredWriter::Object final : public WriterTable {
public:
    Object(WriterDescription description, std::shared_ptr<WriterHandlers> handlers)
        : description_(std::move(description)), handlers_(std::move(handlers)) {}
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;
    ~Object() { end(); }

    void subscribe() {
        const VssApi& api = vssApi();
        if (api.createWriterEx == nullptr)
            throw Failure(code::kVssLibrary, Phase::prepare, "CreateWriterEx, which a writer needs, is missing",
                          "vssapi.dll");
        require(api.createWriterEx(this, &writer_), "CreateWriterEx", Phase::prepare);
        const HRESULT initialized = writer_->Initialize(
            vssId(description_.classId), toUtf16(description_.name).c_str(), toUtf16(description_.instanceName).c_str(),
            description_.majorVersion, description_.minorVersion, VSS_UT_USERDATA, VSS_ST_TRANSACTEDDB,
            VSS_APP_BACK_END, description_.freezeTimeoutMs, VSS_AWS_NO_ALTERNATE_WRITER, false);
        requireAccess(initialized, "IVssWriterImpl::Initialize");
        if (initialized == S_FALSE)
            throw Failure(code::kVssService, Phase::prepare,
                          "Windows is running in safe mode or setup, where writers do not take part");
        initialized_ = true;
        requireAccess(writer_->Subscribe(kSubscribeTimeout, kBackupAndRestoreEvents), "IVssWriterImpl::Subscribe");
        subscribed_ = true;
    }

    void end() noexcept {
        if (writer_ == nullptr) return;
        if (subscribed_) static_cast<void>(writer_->Unsubscribe());
        // It is not documented whether Unsubscribe waits for running handlers.
        for (int i = 0; i < kHandlerPatienceTicks && isRunning(); ++i) ::Sleep(kTickMs);
        if (isRunning()) return;
        if (initialized_) writer_->Uninitialize();
        writer_->Release();
        writer_ = nullptr;
    }

    /// While a handler is running, the object must not be destroyed.
    [[nodiscard]] bool isRunning() const noexcept { return running_ > 0; }

    /// VSS never destroys a writer; RegisteredWriter does.
    void* STDMETHODCALLTYPE deletingDestructor(unsigned /*flags*/) override { return this; }

    bool STDMETHODCALLTYPE OnIdentify(IVssCreateWriterMetadata* metadata) override { return identify(metadata); }
    bool STDMETHODCALLTYPE OnIdentifyEx(IVssCreateWriterMetadata* metadata) override { return identify(metadata); }

    bool STDMETHODCALLTYPE OnPrepareBackup(IVssWriterComponents* components) override {
        const Running running(running_);
        try {
            return answer(handlers_->prepareBackup(selectionOf(*writer_, components)));
        } catch (...) {
            return refuse(Phase::prepare);
        }
    }
    bool STDMETHODCALLTYPE OnPrepareSnapshot() override {
        const Running running(running_);
        try {
            const auto contains = [this](const std::string& path) {
                return static_cast<bool>(writer_->IsPathAffected(toUtf16(path).c_str()));
            };
            return answer(
                handlers_->prepareSnapshot({guidOf(writer_->GetCurrentSnapshotSetId()), session(), contains}));
        } catch (...) {
            return refuse(Phase::prepare);
        }
    }
    bool STDMETHODCALLTYPE OnFreeze() override {
        const Running running(running_);
        return answer(handlers_->freeze());
    }
    bool STDMETHODCALLTYPE OnThaw() override {
        const Running running(running_);
        return answer(handlers_->thaw());
    }
    bool STDMETHODCALLTYPE OnPostSnapshot(IVssWriterComponents* components) override {
        const Running running(running_);
        const Verdict verdict = handlers_->postSnapshot(newShadows());
        try {
            const std::string backup = handlers_->completedBackup();
            if (components != nullptr && !backup.empty()) {
                nameBackup(backup, handlers_->components(), *components);
                tellFailures(handlers_->failedComponents(), handlers_->components(), *components);
            }
        } catch (...) {
            // Then no requester can restore this backup; domino-vss restore can.
        }
        return answer(verdict);
    }
    bool STDMETHODCALLTYPE OnAbort() override {
        const Running running(running_);
        handlers_->abort();
        return true;
    }
    bool STDMETHODCALLTYPE OnBackupShutdown(VSS_ID snapshotSet) override {
        const Running running(running_);
        handlers_->backupShutdown(guidOf(snapshotSet), session());
        return true;
    }
    // Many requesters never report that a backup is complete, so nothing depends on it.
    bool STDMETHODCALLTYPE OnBackupComplete(IVssWriterComponents* /*components*/) override { return true; }
    bool STDMETHODCALLTYPE OnPreRestore(IVssWriterComponents* components) override {
        return restore(components, &WriterHandlers::preRestore, &IVssComponent::SetPreRestoreFailureMsg);
    }
    bool STDMETHODCALLTYPE OnPostRestore(IVssWriterComponents* components) override {
        return restore(components, &WriterHandlers::postRestore, &IVssComponent::SetPostRestoreFailureMsg);
    }
    bool STDMETHODCALLTYPE OnBackOffIOOnVolume(wchar_t* /*volume*/, VSS_ID /*snapshot*/, VSS_ID /*provider*/) override {
        return true;
    }
    bool STDMETHODCALLTYPE OnContinueIOOnVolume(wchar_t* /*volume*/, VSS_ID /*snapshot*/,
                                                VSS_ID /*provider*/) override {
        return true;
    }
    bool STDMETHODCALLTYPE OnVSSShutdown() override { return true; }
    bool STDMETHODCALLTYPE OnVSSApplicationStartup() override { return true; }

private:
    /// Counts a handler as running, from its call to its return.
    class Running {
    public:
        explicit Running(std::atomic<int>& count) noexcept : count_(count) { ++count_; }
        Running(const Running&) = delete;
        Running& operator=(const Running&) = delete;
        ~Running() { --count_; }

    private:
        std::atomic<int>& count_;
    };

    /// Called at any time, by any requester, also during another requester's session.
    bool identify(IVssCreateWriterMetadata* metadata) noexcept {
        const Running running(running_);
        try {
            return handlers_->identify() && metadata != nullptr &&
                   vss::describe(handlers_->components(), handlers_->takesPartInRestores(), description_.autoRecovery,
                                 *metadata);
        } catch (...) {
            return false;
        }
    }

    NewShadows newShadows() {
        NewShadows shadows;
        shadows.writable = description_.autoRecovery && (writer_->GetContext() & VSS_VOLSNAP_ATTR_AUTORECOVER) != 0;
        shadows.deviceOf = [this](const std::string& volume) {
            std::wstring name = toUtf16(volume);
            if (!name.ends_with(L'\\')) name += L'\\';
            const wchar_t* device = nullptr;
            if (FAILED(writer_->GetSnapshotDeviceName(name.c_str(), &device)) || device == nullptr)
                return std::string();
            return toUtf8(device);
        };
        return shadows;
    }

    /// The session of the requester that the current handler works for; empty if VSS does not report it.
    Guid session() const noexcept {
        VSS_ID id{};
        return SUCCEEDED(writer_->GetSessionId(&id)) ? guidOf(id) : Guid{};
    }

    using RestoreStep = RestoreVerdict (WriterHandlers::*)(const RequestedRestore&) noexcept;
    using SetFailureMessage = HRESULT (STDMETHODCALLTYPE IVssComponent::*)(LPCWSTR);

    /// The texts are set on the components and on the writer, because requesters show either or both.
    bool restore(IVssWriterComponents* components, RestoreStep step, SetFailureMessage setMessage) noexcept {
        const Running running(running_);
        try {
            if (components == nullptr) return true;
            std::vector<Restored> restored = restoredOf(*components);
            RequestedRestore requested;
            for (const Restored& one : restored) requested.components.push_back(one.read);
            requested.session = session();
            if (requested.session == Guid{})
                throw Failure(
                    code::kVss, Phase::restore,
                    "VSS does not say which restore this is, so its end could not be told from that of another",
                    "IVssWriterImpl::GetSessionId");
            const RestoreVerdict verdict = ((*handlers_).*step)(requested);
            std::vector<std::string> texts(restored.size(), verdict.components.empty() ? verdict.all.text : "");
            for (const auto& [number, text] : verdict.components)
                if (number < texts.size()) texts[number] = text;
            for (std::size_t i = 0; i < texts.size() && verdict.all.result != result::kOk; ++i)
                if (!texts[i].empty())
                    static_cast<void>((restored[i].component.Get()->*setMessage)(toUtf16(texts[i]).c_str()));
            return answer(verdict.all);
        } catch (...) {
            return refuse(Phase::restore);
        }
    }

    /// Call in a catch clause: vetoes with the text of the current exception. Without a result of the writer's own, a
    /// requester would be shown one without a reason.
    bool refuse(Phase phase) noexcept {
        const Failure failure = failureInFlight(phase);
        try {
            const std::string& call = failure.operation.empty() ? failure.subject : failure.operation;
            const std::string text = call.empty() ? failure.text : call + ": " + failure.text;
            return answer({false, result::kWriterNonRetryable, 0, text});
        } catch (...) {
            return answer({false, result::kWriterOutOfResources, 0, {}});
        }
    }

    /// Reports the failure on the handler's thread, as VSS requires.
    bool answer(const Verdict& verdict) noexcept {
        if (verdict.result == result::kOk) return verdict.proceed;
        try {
            const auto code = static_cast<HRESULT>(verdict.result);
            const HRESULT told = writer_->SetWriterFailureEx(code, static_cast<HRESULT>(verdict.applicationResult),
                                                             toUtf16(verdict.text).c_str());
            if (FAILED(told)) static_cast<void>(writer_->SetWriterFailure(code));
        } catch (...) {
            // Out of memory for the text; the veto still counts.
        }
        return verdict.proceed;
    }

    static void requireAccess(HRESULT result, const char* operation) {
        if (static_cast<std::uint32_t>(result) == result::kAccessDenied) {
            Failure failure = comFailure(result, operation, Phase::prepare);
            failure.code = code::kVssAccess;
            failure.text =
                "this account may not register a writer: run as LocalSystem or as a member of Administrators or Backup "
                "Operators, or enter the account in VssAccessControl";
            throw failure;
        }
        require(result, operation, Phase::prepare);
    }

    IVssWriterImpl* writer_ = nullptr;  // first, as in Microsoft's class; its type has no IID for a ComPtr
    WriterDescription description_;
    std::shared_ptr<WriterHandlers> handlers_;
    std::atomic<int> running_ = 0;
    bool initialized_ = false;
    bool subscribed_ = false;
};

RegisteredWriter::RegisteredWriter(WriterDescription description, std::shared_ptr<WriterHandlers> handlers)
    : handlers_(std::move(handlers)), object_(std::make_unique<Object>(std::move(description), handlers_)) {
    object_->subscribe();
}

RegisteredWriter::~RegisteredWriter() {
    end();
    // A handler that never returns still uses the object, so it is leaked.
    if (object_->isRunning()) static_cast<void>(object_.release());
}

void RegisteredWriter::end() noexcept {
    handlers_->close();
    object_->end();
}

}  // namespace domino_vss::vss
