#pragma once
// IVssBackupComponents to Ex4: one backup, restore or query of one requester.
// session.cpp: state and lifetime · session_backup.cpp: backup · session_shadows.cpp: shadows · session_restore.cpp:
// restore

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "backup_document.h"
#include "com_object.h"
#include "operation.h"
#include "registered_writers.h"
#include "shadows.h"
#include "state_directory.h"
#include "text.h"
#include "volumes.h"
#include "writers.h"

namespace vss_simulator {

class Session final : public ComObject<abi::IVssBackupComponentsEx4, ObjectKind::BackupComponents> {
public:
    Session();

    // clang-format off
    HRESULT STDMETHODCALLTYPE GetWriterComponentsCount(UINT* count) override;
    HRESULT STDMETHODCALLTYPE GetWriterComponents(UINT index, abi::IVssWriterComponentsExt** writer) override;
    HRESULT STDMETHODCALLTYPE InitializeForBackup(BSTR xml) override;
    HRESULT STDMETHODCALLTYPE SetBackupState(bool selectComponents, bool bootableState, VSS_BACKUP_TYPE type, bool partialFiles) override;
    HRESULT STDMETHODCALLTYPE InitializeForRestore(BSTR xml) override;
    HRESULT STDMETHODCALLTYPE SetRestoreState(VSS_RESTORE_TYPE type) override;
    HRESULT STDMETHODCALLTYPE GatherWriterMetadata(abi::IVssAsync** async) override;
    HRESULT STDMETHODCALLTYPE GetWriterMetadataCount(UINT* count) override;
    HRESULT STDMETHODCALLTYPE GetWriterMetadata(UINT index, VSS_ID* instance, abi::IVssExamineWriterMetadata** metadata) override;
    HRESULT STDMETHODCALLTYPE FreeWriterMetadata() override;
    HRESULT STDMETHODCALLTYPE AddComponent(VSS_ID instance, VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name) override;
    HRESULT STDMETHODCALLTYPE PrepareForBackup(abi::IVssAsync** async) override;
    HRESULT STDMETHODCALLTYPE AbortBackup() override;
    HRESULT STDMETHODCALLTYPE GatherWriterStatus(abi::IVssAsync** async) override;
    HRESULT STDMETHODCALLTYPE GetWriterStatusCount(UINT* count) override;
    HRESULT STDMETHODCALLTYPE FreeWriterStatus() override;
    HRESULT STDMETHODCALLTYPE GetWriterStatus(UINT index, VSS_ID* instance, VSS_ID* writer, BSTR* name, VSS_WRITER_STATE* state, HRESULT* failure) override;
    HRESULT STDMETHODCALLTYPE SetBackupSucceeded(VSS_ID instance, VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, bool succeeded) override;
    HRESULT STDMETHODCALLTYPE SetBackupOptions(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, LPCWSTR options) override;
    HRESULT STDMETHODCALLTYPE SetSelectedForRestore(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, bool selected) override;
    HRESULT STDMETHODCALLTYPE SetRestoreOptions(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, LPCWSTR options) override;
    HRESULT STDMETHODCALLTYPE SetAdditionalRestores(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, bool additional) override;
    HRESULT STDMETHODCALLTYPE SetPreviousBackupStamp(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, LPCWSTR stamp) override;
    HRESULT STDMETHODCALLTYPE SaveAsXML(BSTR* xml) override;
    HRESULT STDMETHODCALLTYPE BackupComplete(abi::IVssAsync** async) override;
    HRESULT STDMETHODCALLTYPE AddAlternativeLocationMapping(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, LPCWSTR path, LPCWSTR fileSpec, bool recursive, LPCWSTR destination) override;
    HRESULT STDMETHODCALLTYPE AddRestoreSubcomponent(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, LPCWSTR subLogicalPath, LPCWSTR subName, bool repair) override;
    HRESULT STDMETHODCALLTYPE SetFileRestoreStatus(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, VSS_FILE_RESTORE_STATUS status) override;
    HRESULT STDMETHODCALLTYPE AddNewTarget(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, LPCWSTR path, LPCWSTR file, bool recursive, LPCWSTR alternatePath) override;
    HRESULT STDMETHODCALLTYPE SetRangesFilePath(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, UINT partialFile, LPCWSTR rangesFile) override;
    HRESULT STDMETHODCALLTYPE PreRestore(abi::IVssAsync** async) override;
    HRESULT STDMETHODCALLTYPE PostRestore(abi::IVssAsync** async) override;
    HRESULT STDMETHODCALLTYPE SetContext(LONG context) override;
    HRESULT STDMETHODCALLTYPE StartSnapshotSet(VSS_ID* set) override;
    HRESULT STDMETHODCALLTYPE AddToSnapshotSet(VSS_PWSZ volume, VSS_ID provider, VSS_ID* snapshot) override;
    HRESULT STDMETHODCALLTYPE DoSnapshotSet(abi::IVssAsync** async) override;
    HRESULT STDMETHODCALLTYPE DeleteSnapshots(VSS_ID source, VSS_OBJECT_TYPE type, BOOL force, LONG* deleted, VSS_ID* notDeleted) override;
    HRESULT STDMETHODCALLTYPE ImportSnapshots(abi::IVssAsync** async) override;
    HRESULT STDMETHODCALLTYPE BreakSnapshotSet(VSS_ID set) override;
    HRESULT STDMETHODCALLTYPE GetSnapshotProperties(VSS_ID snapshot, VSS_SNAPSHOT_PROP* properties) override;
    HRESULT STDMETHODCALLTYPE Query(VSS_ID queried, VSS_OBJECT_TYPE queriedType, VSS_OBJECT_TYPE returnedType, abi::IVssEnumObject** objects) override;
    HRESULT STDMETHODCALLTYPE IsVolumeSupported(VSS_ID provider, VSS_PWSZ volume, BOOL* supported) override;
    HRESULT STDMETHODCALLTYPE DisableWriterClasses(const VSS_ID* classes, UINT count) override;
    HRESULT STDMETHODCALLTYPE EnableWriterClasses(const VSS_ID* classes, UINT count) override;
    HRESULT STDMETHODCALLTYPE DisableWriterInstances(const VSS_ID* instances, UINT count) override;
    HRESULT STDMETHODCALLTYPE ExposeSnapshot(VSS_ID snapshot, VSS_PWSZ pathFromRoot, LONG attributes, VSS_PWSZ expose, VSS_PWSZ* exposed) override;
    HRESULT STDMETHODCALLTYPE RevertToSnapshot(VSS_ID snapshot, BOOL forceDismount) override;
    HRESULT STDMETHODCALLTYPE QueryRevertStatus(VSS_PWSZ volume, abi::IVssAsync** async) override;

    HRESULT STDMETHODCALLTYPE GetWriterMetadataEx(UINT index, VSS_ID* instance, abi::IVssExamineWriterMetadataEx** metadata) override;
    HRESULT STDMETHODCALLTYPE SetSelectedForRestoreEx(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, bool selected, VSS_ID instance) override;
    HRESULT STDMETHODCALLTYPE UnexposeSnapshot(VSS_ID snapshot) override;
    HRESULT STDMETHODCALLTYPE SetAuthoritativeRestore(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, bool authoritative) override;
    HRESULT STDMETHODCALLTYPE SetRollForward(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, VSS_ROLLFORWARD_TYPE rollType, LPCWSTR point) override;
    HRESULT STDMETHODCALLTYPE SetRestoreName(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, LPCWSTR restoreName) override;
    HRESULT STDMETHODCALLTYPE BreakSnapshotSetEx(VSS_ID set, DWORD flags, abi::IVssAsync** async) override;
    HRESULT STDMETHODCALLTYPE PreFastRecovery(VSS_ID set, DWORD flags, abi::IVssAsync** async) override;
    HRESULT STDMETHODCALLTYPE FastRecovery(VSS_ID set, DWORD flags, abi::IVssAsync** async) override;
    HRESULT STDMETHODCALLTYPE GetWriterStatusEx(UINT index, VSS_ID* instance, VSS_ID* writer, BSTR* name, VSS_WRITER_STATE* state, HRESULT* failure, HRESULT* application, BSTR* message) override;
    HRESULT STDMETHODCALLTYPE AddSnapshotToRecoverySet(VSS_ID snapshot, DWORD flags, VSS_PWSZ destination) override;
    HRESULT STDMETHODCALLTYPE RecoverSet(DWORD flags, abi::IVssAsync** async) override;
    HRESULT STDMETHODCALLTYPE GetSessionId(VSS_ID* session) override;
    HRESULT STDMETHODCALLTYPE GetRootAndLogicalPrefixPaths(VSS_PWSZ path, VSS_PWSZ* root, VSS_PWSZ* logicalPrefix, BOOL normalizeFqdn) override;
    // clang-format on

protected:
    ~Session() override;
    bool answers(const GUID& id) const override;

private:
    enum class Phase { New, Initialised, SetOpen, Prepared, Created, Failed, Aborted, Completed };
    using Lock = std::unique_lock<std::mutex>;

    struct Member {
        Volume volume;
        Provider provider;
        VSS_ID snapshotId;
        /** The device of its shadow; empty before it exists. */
        std::wstring device = {};
    };

    /** Locks the session. Refuses while an operation is running, or waits for it, as set. */
    Lock enter();
    /** Like enter(); also refuses an uninitialised object. */
    Lock enterInitialised();
    /** Like enter(); also refuses unless this is a restore. */
    Lock enterRestore();
    void requirePhase(std::initializer_list<Phase> allowed) const;
    bool hasWriters() const { return !(context_ & VSS_VOLSNAP_ATTR_NO_WRITERS); }

    /** The operation keeps the session alive. `failed` is called on its thread when it fails or is cancelled. */
    HRESULT startOperation(
        abi::IVssAsync** async, std::string method, std::function<HRESULT(Operation&)> body,
        std::function<void()> failed = [] {});
    bool isWorking();
    void cancelOperation();

    bool isEnabled(const WriterDescription& writer) const;
    /** The participating writers; determined at the first call if their metadata was not gathered. */
    void identifyWriters(Operation& operation);
    /** What registered writers get to know about this session. */
    SessionDetails detailsFor(WriterEvent event) const;
    /** Sends the event to all writers that take part. */
    void send(WriterEvent event, Operation& operation);
    /** Sends the event when nobody waits for the result any more. */
    void sendLast(WriterEvent event);
    void selectParticipants();
    /** The selected components of this writer, including implicitly selected ones. */
    std::vector<WriterComponent> selectedOf(const WriterRun& run) const;
    /** When the snapshot is prepared, writers check the volumes of the set, and fail if their own are missing. */
    void failUncoveredWriters();
    /** Whether writers may change the shadows until PostSnapshot ends. */
    bool isAutoRecovered() const;
    const WriterRun& statusAt(UINT index) const;
    HRESULT giveStatus(UINT index, VSS_ID* instance, VSS_ID* writer, BSTR* name, VSS_WRITER_STATE* state,
                       HRESULT* failure);
    template <class Interface>
    HRESULT giveMetadata(UINT index, VSS_ID* instance, Interface** metadata);

    void createShadows(Operation& operation);
    void undoCreation();
    /** Finds only shadows that the context shows. */
    Shadow visibleShadow(const VSS_ID& id) const;
    bool isVisible(const Shadow& shadow) const;
    std::vector<Shadow> setToBreak(const VSS_ID& set) const;
    void closeSet();
    void route(WriterSelection& selection) const;
    void end();

    /** Calls `change` with the component in the document. */
    template <class Change>
    HRESULT changeComponent(const VSS_ID& writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name,
                            Change change) {
        SelectedComponent* component = document_->find(writer, type, logicalPath, name);
        if (component == nullptr) return VSS_E_OBJECT_NOT_FOUND;
        change(*component);
        return S_OK;
    }

    std::mutex mutex_;
    std::shared_ptr<Operation> operation_;

    const std::string id_ = guidText(newGuid());
    /** Held while shadows belong to this session: volatile ones, and all of them during their creation. */
    File ownership_;
    Phase phase_ = Phase::New;
    bool isRestore_ = false;
    bool isPreRestored_ = false;
    /** By class: the writer instance that the requester restores to. */
    std::map<std::string, VSS_ID> restoreInstances_;
    VSS_RESTORE_TYPE restoreType_ = VSS_RTYPE_UNDEFINED;
    LONG context_ = VSS_CTX_BACKUP;
    bool isContextSet_ = false;
    bool isBackupStateSet_ = false;

    /** VSS's class rules: an allow list after EnableWriterClasses, otherwise a deny list. */
    std::optional<std::set<VSS_ID, GuidLess>> enabledClasses_;
    std::set<VSS_ID, GuidLess> disabledClasses_;
    std::set<VSS_ID, GuidLess> disabledInstances_;

    bool isGathered_ = false;
    bool isIdentified_ = false;
    std::vector<WriterDescription> metadata_;
    bool hasMetadata_ = false;
    std::vector<WriterRun> runs_;
    std::optional<std::vector<WriterRun>> status_;
    std::vector<std::shared_ptr<RegisteredWriter>> met_;
    std::shared_ptr<BackupDocument> document_ = std::make_shared<BackupDocument>();

    /** Held from StartSnapshotSet to the end of DoSnapshotSet: one set at a time on the machine. */
    File creation_;
    VSS_ID setId_{};
    std::vector<Member> members_;
    std::vector<std::pair<Shadow, Volume>> recoverySet_;
};

/** The reverts running in this process, by the volume's GUID name. */
std::shared_ptr<Operation> runningRevert(const std::wstring& volume);
void startRevert(const Shadow& shadow, const Volume& volume);

}  // namespace vss_simulator
