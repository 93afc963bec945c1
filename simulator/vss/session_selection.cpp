// Consequences of the selected components.

#include <algorithm>
#include <iterator>

#include "session.h"

namespace vss_simulator {

namespace {

/** Writers' paths may contain environment variables. */
std::wstring expanded(const std::string& path) {
    const std::wstring text = utf16(path);
    std::wstring result(ExpandEnvironmentStringsW(text.c_str(), nullptr, 0), L'\0');
    result.resize(ExpandEnvironmentStringsW(text.c_str(), result.data(), static_cast<DWORD>(result.size())) - 1);
    // The root is a path too.
    if (!result.ends_with(L'\\')) result += L'\\';
    return result;
}

}  // namespace

std::vector<WriterComponent> Session::selectedOf(const WriterRun& run) const {
    std::vector<WriterComponent> components;
    for (const WriterSelection& selection : document_->writers) {
        if (!IsEqualGUID(selection.instanceId, run.writer.instanceId)) continue;
        std::ranges::copy_if(run.writer.components, std::back_inserter(components), [&](const auto& component) {
            return std::ranges::any_of(selection.components,
                                       [&](const auto& selected) { return selected.brings(component); });
        });
    }
    return components;
}

void Session::failUncoveredWriters() {
    if (!document_->selectComponents) return;
    const auto isInSet = [&](const FileSet& file) {
        const auto place = volumeOf(expanded(file.alternateLocation.empty() ? file.path : file.alternateLocation));
        return place && std::ranges::any_of(members_, [&](const Member& member) {
                   return member.volume.guidName == place->first.guidName;
               });
    };
    for (WriterRun& run : runs_) {
        const auto isCovered = [&](const WriterComponent& component) {
            return std::ranges::all_of(component.files, isInSet) &&
                   std::ranges::all_of(component.databaseFiles, isInSet) &&
                   std::ranges::all_of(component.logFiles, isInSet);
        };
        if (!run.isLeftOut && !std::ranges::all_of(selectedOf(run), isCovered)) rejectVolumes(run);
    }
}

bool Session::isAutoRecovered() const {
    if (!hasWriters() || !document_->selectComponents || context_ & VSS_VOLSNAP_ATTR_NO_AUTORECOVERY) return false;
    const DWORD wanted = VSS_CF_BACKUP_RECOVERY |
                         (context_ & VSS_VOLSNAP_ATTR_ROLLBACK_RECOVERY ? DWORD{VSS_CF_APP_ROLLBACK_RECOVERY} : 0);
    return std::ranges::any_of(runs_, [&](const WriterRun& run) {
        return std::ranges::any_of(selectedOf(run),
                                   [&](const WriterComponent& component) { return component.flags & wanted; });
    });
}

}  // namespace vss_simulator
