#pragma once
// IVssWriterImpl: returned to a writer by CreateWriter and CreateWriterEx. From Subscribe to Unsubscribe, requesters
// find it; each has its own connection (writer_connection.h).

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>

#include "com_object.h"
#include "writer_abi.h"
#include "writer_channel.h"
#include "writer_message.h"

namespace vss_simulator {

/** What a writer can query during an event of this session. Guarded by the mutex of WriterImpl. */
struct WriterSession {
    SessionDetails details;
    std::vector<LPCWSTR> volumeNames;
    BackupDocument document;
    std::optional<WriterEvent> current;
    /** From PrepareForBackup to the end of PostSnapshot or the abort. */
    bool isInBackup = false;
    bool isOut = false;
    VSS_WRITER_STATE state = VSS_WS_STABLE;
    HRESULT failure = S_OK;
    HRESULT applicationFailure = S_OK;
    std::string applicationMessage;
    /** Set by the running handler. */
    bool hasFailedNow = false;
};

class WriterImpl final : public ComObject<abi::IVssWriterImpl, ObjectKind::WriterImpl> {
public:
    /** `isExtended`: created by CreateWriterEx, so there is a slot for OnIdentifyEx. */
    WriterImpl(abi::WriterObject* writer, bool isExtended);

    // clang-format off
    HRESULT STDMETHODCALLTYPE Initialize(VSS_ID writer, LPCWSTR name, LPCWSTR instanceName, DWORD major, DWORD minor, VSS_USAGE_TYPE usage, VSS_SOURCE_TYPE source, VSS_APPLICATION_LEVEL level, DWORD freezeTimeoutMs, VSS_ALTERNATE_WRITER_STATE alternate, bool ioThrottlingOnly) override;
    HRESULT STDMETHODCALLTYPE Subscribe(DWORD subscribeTimeoutMs, DWORD eventFlags) override;
    HRESULT STDMETHODCALLTYPE Unsubscribe() override;
    void STDMETHODCALLTYPE Uninitialize() override;
    LPCWSTR* STDMETHODCALLTYPE GetCurrentVolumeArray() override;
    UINT STDMETHODCALLTYPE GetCurrentVolumeCount() override;
    HRESULT STDMETHODCALLTYPE GetSnapshotDeviceName(LPCWSTR volume, LPCWSTR* device) override;
    VSS_ID* STDMETHODCALLTYPE GetCurrentSnapshotSetId(VSS_ID* result) override;
    LONG STDMETHODCALLTYPE GetContext() override;
    VSS_APPLICATION_LEVEL STDMETHODCALLTYPE GetCurrentLevel() override;
    bool STDMETHODCALLTYPE IsPathAffected(LPCWSTR path) override;
    bool STDMETHODCALLTYPE IsBootableSystemStateBackedUp() override;
    bool STDMETHODCALLTYPE AreComponentsSelected() override;
    VSS_BACKUP_TYPE STDMETHODCALLTYPE GetBackupType() override;
    VSS_RESTORE_TYPE STDMETHODCALLTYPE GetRestoreType() override;
    HRESULT STDMETHODCALLTYPE SetWriterFailure(HRESULT failure) override;
    bool STDMETHODCALLTYPE IsPartialFileSupportEnabled() override;
    HRESULT STDMETHODCALLTYPE InstallAlternateWriter(VSS_ID writer, CLSID classId) override;
    abi::IVssExamineWriterMetadata* STDMETHODCALLTYPE GetIdentityInformation() override;
    HRESULT STDMETHODCALLTYPE SetWriterFailureEx(HRESULT failure, HRESULT application, LPCWSTR message) override;
    HRESULT STDMETHODCALLTYPE GetSessionId(VSS_ID* session) override;
    bool STDMETHODCALLTYPE IsWriterShuttingDown() override;
    // clang-format on

    // For the connections.

    /** Calls the handler of the event on this thread. Returns the answer to the requester. */
    EventAnswer handle(WriterEvent event, const std::shared_ptr<WriterSession>& session);
    /** The state without an event. */
    EventAnswer stateOf(const WriterSession& session);
    /** Whether the writer subscribed to such events. */
    bool hears(WriterEvent event) const;
    DWORD freezeTimeoutMs() const { return freezeTimeoutMs_; }
    /** Signalled when requesters must not reach the writer any more. */
    HANDLE stopping() const { return stopping_.get(); }
    std::mutex& mutex() { return mutex_; }
    /** The threads that work for the writer. */
    class Workers;
    /**
     * Marks this thread as working for the writer, for the object's lifetime, and keeps the writer. It gives the writer
     * back before Unsubscribe hears of it: after that, a program may end its process at once.
     */
    class Work {
    public:
        explicit Work(Ref<WriterImpl> writer);
        Work(const Work&) = delete;
        Work& operator=(const Work&) = delete;
        ~Work();
        WriterImpl& writer() const { return *writer_; }

    private:
        Ref<WriterImpl> writer_;
        const std::shared_ptr<Workers> workers_;
    };

private:
    bool callWriter(WriterEvent event, WriterSession& session, std::optional<WriterDescription>& metadata);
    /** The session whose handler runs on this thread, otherwise the session with a backup in progress. */
    std::shared_ptr<WriterSession> currentSession() const;
    std::shared_ptr<WriterSession> sessionOfThread() const;
    /** `value` of the current session, under the lock; `otherwise` if there is none. */
    template <class Result, class Value>
    Result ofSession(Result otherwise, Value value) const {
        const std::scoped_lock lock(mutex_);
        const auto session = currentSession();
        return session ? value(*session) : otherwise;
    }

    abi::WriterObject* const writer_;
    const bool isExtended_;
    WriterDescription identity_;
    VSS_APPLICATION_LEVEL level_ = VSS_APP_FRONT_END;
    DWORD freezeTimeoutMs_ = 60'000;
    DWORD eventFlags_ = 0;
    bool isInitialised_ = false;
    bool isShuttingDown_ = false;

    mutable std::mutex mutex_;
    File registration_;
    File stopping_ = newEvent();
    /** Outlives the writer if a thread that gives it back was the last to have it. */
    const std::shared_ptr<Workers> workers_;
    std::map<DWORD, std::shared_ptr<WriterSession>> handling_;
    std::shared_ptr<WriterSession> active_;
    std::optional<WriterDescription> described_;
    EventAnswer last_;
};

}  // namespace vss_simulator
