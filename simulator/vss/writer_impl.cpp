#include "writer_impl.h"

#include <algorithm>

#include "call.h"
#include "create_writer_metadata.h"
#include "operation.h"
#include "registered_writers.h"
#include "settings.h"
#include "text.h"
#include "volumes.h"
#include "writer_connection.h"
#include "writer_metadata.h"

namespace vss_simulator {

namespace {

bool isOfRestore(WriterEvent event) {
    return event == WriterEvent::PreRestore || event == WriterEvent::PostRestore;
}

/** IVssWriterComponents for the duration of a handler. */
class ComponentsOfSession {
public:
    ComponentsOfSession(WriterSession& session, WriterEvent event) : session_(session) {
        if (!session.document.selectComponents && !session.details.isRestore) return;
        document_ = std::make_shared<BackupDocument>(session.document);
        if (document_->writers.empty()) document_->writers.emplace_back();
        object_ = makeWriterComponents(document_, 0, event);
    }
    ComponentsOfSession(const ComponentsOfSession&) = delete;
    ComponentsOfSession& operator=(const ComponentsOfSession&) = delete;
    ~ComponentsOfSession() {
        if (object_ == nullptr) return;
        object_->Release();
        if (!session_.document.writers.empty()) session_.document = *document_;
    }

    abi::IVssWriterComponents* object() const { return object_; }

private:
    WriterSession& session_;
    std::shared_ptr<BackupDocument> document_;
    abi::IVssWriterComponentsExt* object_ = nullptr;
};

}  // namespace

class WriterImpl::Workers {
public:
    void enter() {
        const std::scoped_lock lock(mutex_);
        ++threads_[GetCurrentThreadId()];
    }

    void leave() {
        const std::scoped_lock lock(mutex_);
        const auto self = threads_.find(GetCurrentThreadId());
        if (--self->second == 0) threads_.erase(self);
        idle_.notify_all();
    }

    /** Waits until no thread works; not at all on one that does. */
    void waitForOthers() {
        std::unique_lock lock(mutex_);
        if (!threads_.contains(GetCurrentThreadId())) idle_.wait(lock, [&] { return threads_.empty(); });
    }

private:
    std::mutex mutex_;
    std::condition_variable idle_;
    /** By their ids: how many times each has entered. */
    std::map<DWORD, int> threads_;
};

WriterImpl::WriterImpl(abi::WriterObject* writer, bool isExtended)
    : writer_(writer), isExtended_(isExtended), workers_(std::make_shared<Workers>()) {}

WriterImpl::Work::Work(Ref<WriterImpl> writer) : writer_(std::move(writer)), workers_(writer_->workers_) {
    workers_->enter();
}

WriterImpl::Work::~Work() {
    writer_ = {};
    workers_->leave();
}

HRESULT WriterImpl::Initialize(VSS_ID writer, LPCWSTR name, LPCWSTR instanceName, DWORD major, DWORD minor,
                               VSS_USAGE_TYPE usage, VSS_SOURCE_TYPE source, VSS_APPLICATION_LEVEL level,
                               DWORD freezeTimeoutMs, VSS_ALTERNATE_WRITER_STATE, bool) {
    return call("CVssWriter::Initialize", [&]() -> HRESULT {
        if (IsEqualGUID(writer, GUID_NULL) || name == nullptr || *name == L'\0') return E_INVALIDARG;
        if (usage <= VSS_UT_UNDEFINED || usage > VSS_UT_OTHER) return E_INVALIDARG;
        if (source <= VSS_ST_UNDEFINED || source > VSS_ST_OTHER) return E_INVALIDARG;
        if (level != VSS_APP_AUTO && (level < VSS_APP_SYSTEM || level > VSS_APP_SYSTEM_RM)) return E_INVALIDARG;
        if (!settings().flag("writer_access", true)) return E_ACCESSDENIED;
        if (settings().flag("safe_mode", false)) return S_FALSE;
        const std::scoped_lock lock(mutex_);
        if (isInitialised_) return VSS_E_BAD_STATE;
        identity_.classId = writer;
        identity_.instanceId = newGuid();
        identity_.name = utf8(name);
        identity_.instanceName = instanceName == nullptr ? "" : utf8(instanceName);
        identity_.majorVersion = major;
        identity_.minorVersion = minor;
        identity_.usage = usage;
        identity_.source = source;
        level_ = level == VSS_APP_AUTO ? VSS_APP_FRONT_END : level;
        freezeTimeoutMs_ = freezeTimeoutMs;
        isInitialised_ = true;
        return S_OK;
    });
}

HRESULT WriterImpl::Subscribe(DWORD, DWORD eventFlags) {
    return call("CVssWriter::Subscribe", [&]() -> HRESULT {
        if (eventFlags == 0) return E_INVALIDARG;
        const std::scoped_lock lock(mutex_);
        if (!isInitialised_) return VSS_E_BAD_STATE;
        if (registration_.isOpen()) return VSS_E_WRITER_ALREADY_SUBSCRIBED;
        isShuttingDown_ = false;
        ResetEvent(stopping_.get());
        eventFlags_ = eventFlags;
        const auto listener = std::make_shared<WriterListener>(guidText(identity_.instanceId));
        std::filesystem::create_directories(stateDirectory() / L"writers");
        registration_ = ownFile(registrationFile(identity_.classId, identity_.instanceId));
        runOnOwnThread([self = Ref<WriterImpl>::share(this), listener]() mutable {
            const Work work(std::move(self));
            try {
                serveRequesters(work.writer(), *listener);
            } catch (...) {
                currentExceptionResult();
            }
        });
        return S_OK;
    });
}

HRESULT WriterImpl::Unsubscribe() {
    return call("CVssWriter::Unsubscribe", [&]() -> HRESULT {
        {
            const std::scoped_lock lock(mutex_);
            if (!registration_.isOpen()) return VSS_E_BAD_STATE;
            isShuttingDown_ = true;
            registration_.close();
            SetEvent(stopping_.get());
        }
        // A handler that unsubscribes its own writer must not be waited for.
        if (settings().flag("unsubscribe_waits", true)) workers_->waitForOthers();
        return S_OK;
    });
}

void WriterImpl::Uninitialize() {
    bool isSubscribed = false;
    {
        const std::scoped_lock lock(mutex_);
        isSubscribed = registration_.isOpen();
    }
    if (isSubscribed) Unsubscribe();
    const std::scoped_lock lock(mutex_);
    isInitialised_ = false;
    isShuttingDown_ = true;
}

bool WriterImpl::hears(WriterEvent event) const {
    if (event == WriterEvent::Identify) return true;
    return eventFlags_ & (isOfRestore(event) ? VSS_SM_RESTORE_EVENTS_FLAG : VSS_SM_BACKUP_EVENTS_FLAG);
}

bool WriterImpl::callWriter(WriterEvent event, WriterSession& session, std::optional<WriterDescription>& metadata) {
    const abi::WriterTable& table = *writer_->table;
    switch (event) {
        case WriterEvent::Identify: {
            const MetadataInMaking made(identity_);
            const bool isReported =
                isExtended_ ? table.OnIdentifyEx(writer_, made.object()) : table.OnIdentify(writer_, made.object());
            if (isReported) metadata = made.description();
            return isReported;
        }
        case WriterEvent::PrepareForBackup:
            return table.OnPrepareBackup(writer_, ComponentsOfSession(session, event).object());
        case WriterEvent::PrepareForSnapshot: return table.OnPrepareSnapshot(writer_);
        case WriterEvent::Freeze: return table.OnFreeze(writer_);
        case WriterEvent::Thaw: return table.OnThaw(writer_);
        case WriterEvent::PostSnapshot:
            return table.OnPostSnapshot(writer_, ComponentsOfSession(session, event).object());
        case WriterEvent::Abort: return table.OnAbort(writer_);
        case WriterEvent::BackupComplete:
            return table.OnBackupComplete(writer_, ComponentsOfSession(session, event).object());
        case WriterEvent::PreRestore: return table.OnPreRestore(writer_, ComponentsOfSession(session, event).object());
        case WriterEvent::PostRestore:
            return table.OnPostRestore(writer_, ComponentsOfSession(session, event).object());
        case WriterEvent::BackupShutdown: return table.OnBackupShutdown(writer_, session.details.setId);
    }
    return false;
}

EventAnswer WriterImpl::handle(WriterEvent event, const std::shared_ptr<WriterSession>& session) {
    // Calls to a COM server arrive on COM threads.
    CoInitializeEx(nullptr, COINIT_MULTITHREADED);
    {
        const std::scoped_lock lock(mutex_);
        handling_[GetCurrentThreadId()] = session;
        session->current = event;
        session->hasFailedNow = false;
        if (event == WriterEvent::PrepareForBackup) {
            session->isInBackup = true;
            active_ = session;
        }
    }
    bool isAccepted = false;
    std::optional<WriterDescription> metadata;
    call("CVssWriter::On" + std::string(eventName(event)), [&]() -> HRESULT {
        isAccepted = callWriter(event, *session, metadata);
        return isAccepted ? S_OK : S_FALSE;
    });
    CoUninitialize();

    const std::scoped_lock lock(mutex_);
    handling_.erase(GetCurrentThreadId());
    session->current.reset();
    const bool isLast = event == WriterEvent::Abort || event == WriterEvent::BackupShutdown;
    if (event == WriterEvent::PostSnapshot || isLast) {
        session->isInBackup = false;
        if (active_ == session) active_.reset();
    }
    if (event == WriterEvent::Identify) {
        if (metadata) described_ = metadata;
    } else if (isLast) {
        session->isOut = true;
        if (session->failure == S_OK) session->state = VSS_WS_STABLE;
    } else if (!session->isOut) {  // otherwise it came too late
        const auto [good, bad] = outcomeOf(event);
        if (!isAccepted) {
            session->isOut = true;
            if (session->failure == S_OK) session->failure = VSS_E_WRITERERROR_NONRETRYABLE;
        }
        if (!isAccepted || session->hasFailedNow) {
            session->state = bad;
        } else if (session->failure == S_OK) {
            session->state = good;
        }
    }
    EventAnswer answer = stateOf(*session);
    answer.metadata = std::move(metadata);
    answer.selections = session->document.writers;
    if (event != WriterEvent::Identify) last_ = answer;
    return answer;
}

EventAnswer WriterImpl::stateOf(const WriterSession& session) {
    EventAnswer answer;
    answer.state = session.state;
    answer.failure = session.failure;
    answer.applicationFailure = session.applicationFailure;
    answer.applicationMessage = session.applicationMessage;
    answer.isOut = session.isOut;
    answer.level = level_;
    return answer;
}

std::shared_ptr<WriterSession> WriterImpl::sessionOfThread() const {
    const auto found = handling_.find(GetCurrentThreadId());
    return found == handling_.end() ? nullptr : found->second;
}

std::shared_ptr<WriterSession> WriterImpl::currentSession() const {
    auto session = sessionOfThread();
    return session ? session : active_;
}

LPCWSTR* WriterImpl::GetCurrentVolumeArray() {
    return ofSession<LPCWSTR*>(nullptr, [](WriterSession& session) {
        return session.volumeNames.empty() ? nullptr : session.volumeNames.data();
    });
}

UINT WriterImpl::GetCurrentVolumeCount() {
    return ofSession<UINT>(0,
                           [](const WriterSession& session) { return static_cast<UINT>(session.volumeNames.size()); });
}

HRESULT WriterImpl::GetSnapshotDeviceName(LPCWSTR name, LPCWSTR* device) {
    return call("CVssWriter::GetSnapshotDeviceName", [&]() -> HRESULT {
        if (name == nullptr || device == nullptr) return E_INVALIDARG;
        *device = nullptr;
        const std::scoped_lock lock(mutex_);
        const auto session = currentSession();
        if (!session || session->current != WriterEvent::PostSnapshot) return VSS_E_BAD_STATE;
        const auto volume = findVolume(name);
        if (!volume) return VSS_E_OBJECT_NOT_FOUND;
        for (const SetVolume& member : session->details.volumes) {
            if (sameIgnoringCase(member.name, volume->guidName)) {
                *device = member.device.c_str();
                return S_OK;
            }
        }
        return VSS_E_OBJECT_NOT_FOUND;
    });
}

VSS_ID* WriterImpl::GetCurrentSnapshotSetId(VSS_ID* result) {
    *result = ofSession<VSS_ID>(
        GUID_NULL, [](const WriterSession& session) { return session.isInBackup ? session.details.setId : GUID_NULL; });
    return result;
}

LONG WriterImpl::GetContext() {
    return ofSession<LONG>(VSS_CTX_BACKUP, [](const WriterSession& session) { return session.details.context; });
}

VSS_APPLICATION_LEVEL WriterImpl::GetCurrentLevel() {
    return level_;
}

bool WriterImpl::IsPathAffected(LPCWSTR path) {
    if (path == nullptr) return false;
    std::wstring expanded(ExpandEnvironmentStringsW(path, nullptr, 0), L'\0');
    expanded.resize(ExpandEnvironmentStringsW(path, expanded.data(), static_cast<DWORD>(expanded.size())) - 1);
    // The root is a path too.
    if (!expanded.ends_with(L'\\')) expanded += L'\\';
    const auto place = volumeOf(expanded);
    return place && ofSession<bool>(false, [&](const WriterSession& session) {
               return std::ranges::any_of(session.details.volumes, [&](const SetVolume& volume) {
                   return sameIgnoringCase(volume.name, place->first.guidName);
               });
           });
}

bool WriterImpl::IsBootableSystemStateBackedUp() {
    return ofSession<bool>(false, [](const WriterSession& session) { return session.document.bootableState; });
}

bool WriterImpl::AreComponentsSelected() {
    return ofSession<bool>(false, [](const WriterSession& session) { return session.document.selectComponents; });
}

VSS_BACKUP_TYPE WriterImpl::GetBackupType() {
    return ofSession<VSS_BACKUP_TYPE>(VSS_BT_UNDEFINED,
                                      [](const WriterSession& session) { return session.document.type; });
}

VSS_RESTORE_TYPE WriterImpl::GetRestoreType() {
    return ofSession<VSS_RESTORE_TYPE>(VSS_RTYPE_UNDEFINED,
                                       [](const WriterSession& session) { return session.details.restoreType; });
}

bool WriterImpl::IsPartialFileSupportEnabled() {
    return ofSession<bool>(false, [](const WriterSession& session) { return session.document.partialFiles; });
}

HRESULT WriterImpl::SetWriterFailure(HRESULT failure) {
    if (!isWriterFailure(failure)) return E_INVALIDARG;
    return SetWriterFailureEx(failure, S_OK, nullptr);
}

HRESULT WriterImpl::SetWriterFailureEx(HRESULT failure, HRESULT application, LPCWSTR message) {
    return call("CVssWriter::SetWriterFailureEx", [&]() -> HRESULT {
        const bool isKnown =
            isWriterFailure(failure) || failure == S_OK || failure == VSS_E_WRITERERROR_PARTIAL_FAILURE;
        if (!isKnown) return E_INVALIDARG;
        const std::scoped_lock lock(mutex_);
        const auto session = sessionOfThread();
        if (!session || session->current == WriterEvent::Identify) return VSS_E_BAD_STATE;
        if (session->isOut) return S_OK;  // it has already been judged
        session->failure = failure;
        session->applicationFailure = application;
        session->applicationMessage = message == nullptr ? "" : utf8(message);
        session->hasFailedNow = failure != S_OK;
        return S_OK;
    });
}

HRESULT WriterImpl::GetSessionId(VSS_ID* id) {
    return call("CVssWriter::GetSessionId", [&]() -> HRESULT {
        if (id == nullptr) return E_INVALIDARG;
        const std::scoped_lock lock(mutex_);
        const auto session = sessionOfThread();
        if (!session) return VSS_E_BAD_STATE;
        *id = session->details.sessionId;
        return S_OK;
    });
}

HRESULT WriterImpl::InstallAlternateWriter(VSS_ID, CLSID) {
    return call("CVssWriter::InstallAlternateWriter", []() -> HRESULT { return E_NOTIMPL; });
}

abi::IVssExamineWriterMetadata* WriterImpl::GetIdentityInformation() {
    const std::scoped_lock lock(mutex_);
    return described_ ? makeWriterMetadata(*described_).detach() : nullptr;
}

bool WriterImpl::IsWriterShuttingDown() {
    const std::scoped_lock lock(mutex_);
    return isShuttingDown_;
}

}  // namespace vss_simulator
