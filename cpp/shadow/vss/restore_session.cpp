#include "shadow/vss/restore_session.h"

#include <algorithm>
#include <utility>

#include "shadow/vss/async_operation.h"
#include "shadow/vss/com_apartment.h"
#include "shadow/vss/com_failure.h"
#include "shadow/vss/com_string.h"
#include "shadow/vss/vss_codes.h"
#include "shadow/vss/vssapi_library.h"
#include "shadow/vss/writer_metadata.h"
#include "system/abandonable_thread.h"
#include "system/path.h"

namespace domino_vss::vss {

using engine::Limits;

namespace {

/// What the document says of one writer.
ComPtr<WriterComponents> writerComponents(IVssBackupComponents& components, UINT index) {
    ComPtr<WriterComponents> found;
    // The same object by the declaration that can be released.
    auto** const declared = reinterpret_cast<IVssWriterComponentsExt**>(found.GetAddressOf());
    require(components.GetWriterComponents(index, declared), "IVssBackupComponents::GetWriterComponents",
            Phase::restore);
    return found;
}

}  // namespace

void RestoreSession::selectForRestore(IVssWriterComponents& writer, const VSS_ID& writerId) {
    UINT count = 0;
    require(writer.GetComponentCount(&count), "IVssWriterComponents::GetComponentCount", Phase::restore);
    for (UINT i = 0; i < count; ++i) {
        ComPtr<IVssComponent> component;
        Bstr logicalPath;
        Bstr name;
        VSS_COMPONENT_TYPE type{};
        require(writer.GetComponent(i, component.GetAddressOf()), "IVssWriterComponents::GetComponent", Phase::restore);
        require(component->GetLogicalPath(logicalPath.put()), "IVssComponent::GetLogicalPath", Phase::restore);
        require(component->GetComponentType(&type), "IVssComponent::GetComponentType", Phase::restore);
        require(component->GetComponentName(name.put()), "IVssComponent::GetComponentName", Phase::restore);
        require(components_->SetSelectedForRestore(writerId, type, logicalPath.get(), name.get(), true),
                "IVssBackupComponents::SetSelectedForRestore", Phase::restore, name.utf8());
        selected_.push_back({guidOf(writerId), type, logicalPath.utf8(), name.utf8()});
    }
}

RestoreSession::RestoreSession(const std::string& document, const Limits& limits)
    : components_(createBackupComponents()) {
    const Bstr xml(document);
    require(components_->InitializeForRestore(xml.get()), "IVssBackupComponents::InitializeForRestore", Phase::restore);
    readWriters(limits);
}

RestoreSession::~RestoreSession() {
    if (!components_) return;
    // The last reference may be dropped by a thread that does not belong to the apartment.
    try {
        AbandonableThread(
            [this] {
                const ComApartment apartment;
                components_.Reset();
            },
            [](Failure&&) {})
            .join();
    } catch (const std::exception&) {
        // No thread could be had.
    }
    static_cast<void>(components_.Detach());  // without an apartment it can only be left
}

void RestoreSession::readWriters(const Limits& limits) {
    present_ = gatherWriters(*components_.Get(), limits, Phase::restore);
    UINT count = 0;
    require(components_->GetWriterComponentsCount(&count), "IVssBackupComponents::GetWriterComponentsCount",
            Phase::restore);
    for (UINT i = 0; i < count; ++i) {
        const ComPtr<WriterComponents> writer = writerComponents(*components_.Get(), i);
        VSS_ID instance{};
        VSS_ID id{};
        require(writer->GetWriterInfo(&instance, &id), "IVssWriterComponents::GetWriterInfo", Phase::restore);
        const auto found = std::ranges::find(present_, guidOf(id), &Writer::id);
        const bool isPresent = found != present_.end();
        writers_.push_back({guidOf(id), isPresent ? found->name : std::string{}, isPresent});
        if (isPresent) selectForRestore(*writer.Get(), id);
    }
}

void RestoreSession::requireOpen() const {
    if (!components_) throw Failure(code::kState, Phase::restore, "the restore session is closed");
}

void RestoreSession::preRestore(const Limits& limits) {
    notify(&IVssBackupComponents::PreRestore, "IVssBackupComponents::PreRestore", limits);
}

void RestoreSession::postRestore(RestoreOutcome outcome, const Limits& limits) {
    setFileRestoreStatus(outcome);
    notify(&IVssBackupComponents::PostRestore, "IVssBackupComponents::PostRestore", limits);
}

void RestoreSession::setFileRestoreStatus(RestoreOutcome outcome) {
    const std::lock_guard lock(mutex_);
    requireOpen();
    const VSS_FILE_RESTORE_STATUS status = outcome == RestoreOutcome::all    ? VSS_RS_ALL
                                           : outcome == RestoreOutcome::none ? VSS_RS_NONE
                                                                             : VSS_RS_FAILED;
    for (const Selected& component : selected_)
        require(components_->SetFileRestoreStatus(vssId(component.writerId), component.type,
                                                  toUtf16(component.logicalPath).c_str(),
                                                  toUtf16(component.name).c_str(), status),
                "IVssBackupComponents::SetFileRestoreStatus", Phase::restore, component.name);
}

void RestoreSession::notify(Notification notification, const char* operation, const Limits& limits) {
    const std::lock_guard lock(mutex_);
    requireOpen();
    AsyncOperation notifying(operation, Phase::restore);
    require((components_.Get()->*notification)(notifying.put()), operation, Phase::restore);
    notifying.await(limits);
    // What a writer failed at is not in the result of the operation.
    gatherWriterStatus(*components_.Get(), present_, limits, Phase::restore);
    for (const Writer& writer : present_)
        if (writer.failed() && writer.failure != result::kWriterStatusNotAvailable &&
            std::ranges::count(writers_, writer.id, &RestoreWriter::id) > 0)
            throw writerFailure(writer, operation, Phase::restore);
}

void RestoreSession::close() {
    const std::lock_guard lock(mutex_);
    components_.Reset();
}

}  // namespace domino_vss::vss
