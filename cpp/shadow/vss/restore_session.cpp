#include "shadow/vss/restore_session.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "shadow/vss/async_operation.h"
#include "shadow/vss/com_apartment.h"
#include "shadow/vss/com_failure.h"
#include "shadow/vss/com_string.h"
#include "shadow/vss/vss_codes.h"
#include "shadow/vss/vssapi_library.h"
#include "shadow/vss/writer_metadata.h"
#include "system/abandonable_thread.h"
#include "system/current_call.h"
#include "system/path.h"

namespace domino_vss::vss {

using engine::Limits;

namespace {

/// How long other threads wait while the object is in a call.
constexpr std::chrono::seconds kPatience{2};

/// The document's entry for one writer.
ComPtr<WriterComponents> writerComponents(IVssBackupComponents& components, UINT index) {
    ComPtr<WriterComponents> found;
    // Declared with IUnknown, so that it can be released.
    auto** const declared = reinterpret_cast<IVssWriterComponentsExt**>(found.GetAddressOf());
    require([&] { return components.GetWriterComponents(index, declared); },
            "IVssBackupComponents::GetWriterComponents", Phase::restore);
    return found;
}

}  // namespace

void RestoreSession::selectForRestore(IVssWriterComponents& writer, const VSS_ID& writerId) {
    UINT count = 0;
    require([&] { return writer.GetComponentCount(&count); }, "IVssWriterComponents::GetComponentCount",
            Phase::restore);
    for (UINT i = 0; i < count; ++i) {
        ComPtr<IVssComponent> component;
        Bstr logicalPath;
        Bstr name;
        VSS_COMPONENT_TYPE type{};
        require([&] { return writer.GetComponent(i, component.GetAddressOf()); }, "IVssWriterComponents::GetComponent",
                Phase::restore);
        require([&] { return component->GetLogicalPath(logicalPath.put()); }, "IVssComponent::GetLogicalPath",
                Phase::restore);
        require([&] { return component->GetComponentType(&type); }, "IVssComponent::GetComponentType", Phase::restore);
        require([&] { return component->GetComponentName(name.put()); }, "IVssComponent::GetComponentName",
                Phase::restore);
        require([&] { return components_->SetSelectedForRestore(writerId, type, logicalPath.get(), name.get(), true); },
                "IVssBackupComponents::SetSelectedForRestore", Phase::restore, name.utf8());
        selected_.push_back({guidOf(writerId), type, logicalPath.utf8(), name.utf8()});
    }
}

RestoreSession::RestoreSession(const std::string& document, const Limits& limits)
    : components_(createBackupComponents()) {
    const Bstr xml(document);
    require([&] { return components_->InitializeForRestore(xml.get()); }, "IVssBackupComponents::InitializeForRestore",
            Phase::restore);
    readWriters(limits);
}

RestoreSession::~RestoreSession() {
    if (!components_) return;
    // The last reference may be dropped by a thread outside the apartment, or by one that must not hang.
    const auto owned = std::make_shared<ComPtr<IVssBackupComponents>>(std::move(components_));
    try {
        AbandonableThread release(
            [owned] {
                const ComApartment apartment;
                owned->Reset();
            },
            [](Failure&&) {});
        if (!release.endsWithin(kPatience)) return;
    } catch (const std::exception&) {
        // The thread could not be created.
    }
    static_cast<void>(owned->Detach());  // without an apartment, the object can only be leaked
}

void RestoreSession::readWriters(const Limits& limits) {
    present_ = gatherWriters(*components_.Get(), limits, Phase::restore);
    UINT count = 0;
    require([&] { return components_->GetWriterComponentsCount(&count); },
            "IVssBackupComponents::GetWriterComponentsCount", Phase::restore);
    for (UINT i = 0; i < count; ++i) {
        const ComPtr<WriterComponents> writer = writerComponents(*components_.Get(), i);
        VSS_ID instance{};
        VSS_ID id{};
        require([&] { return writer->GetWriterInfo(&instance, &id); }, "IVssWriterComponents::GetWriterInfo",
                Phase::restore);
        const auto found = std::ranges::find(present_, guidOf(id), &Writer::id);
        const bool isPresent = found != present_.end();
        writers_.push_back({guidOf(id), isPresent ? found->name : std::string{}, isPresent});
        if (isPresent) selectForRestore(*writer.Get(), id);
    }
}

std::unique_lock<std::timed_mutex> RestoreSession::enter() {
    std::unique_lock lock(mutex_, kPatience);
    if (!lock) throw Failure(code::kShadowHangs, Phase::restore, "an earlier call of this restore has not returned");
    return lock;
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
    const auto lock = enter();
    requireOpen();
    const VSS_FILE_RESTORE_STATUS status = outcome == RestoreOutcome::all    ? VSS_RS_ALL
                                           : outcome == RestoreOutcome::none ? VSS_RS_NONE
                                                                             : VSS_RS_FAILED;
    for (const Selected& component : selected_)
        require(
            [&] {
                return components_->SetFileRestoreStatus(vssId(component.writerId), component.type,
                                                         toUtf16(component.logicalPath).c_str(),
                                                         toUtf16(component.name).c_str(), status);
            },
            "IVssBackupComponents::SetFileRestoreStatus", Phase::restore, component.name);
}

void RestoreSession::notify(Notification notification, const char* operation, const Limits& limits) {
    const auto lock = enter();
    requireOpen();
    AsyncOperation notifying(operation, Phase::restore);
    require([&] { return (components_.Get()->*notification)(notifying.put()); }, operation, Phase::restore);
    notifying.await(limits);
    // The result of the operation does not show the failures of writers.
    gatherWriterStatus(*components_.Get(), present_, limits, Phase::restore);
    for (const Writer& writer : present_)
        if (writer.failed() && writer.failure != result::kWriterStatusNotAvailable &&
            std::ranges::count(writers_, writer.id, &RestoreWriter::id) > 0)
            throw writerFailure(writer, operation, Phase::restore);
}

void RestoreSession::close() {
    const auto lock = enter();
    CurrentCall::note("IVssBackupComponents::Release");
    components_.Reset();
}

}  // namespace domino_vss::vss
