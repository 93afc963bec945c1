#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "shadow/vss/guid.h"
#include "shadow/vss/vss_codes.h"
#include "shadow/vss/writer_description.h"

namespace domino_vss::vss {

/// A handler's answer to VSS.
struct Verdict {
    /// False vetoes the snapshot, which fails then.
    bool proceed = true;
    /// VSS_E_WRITERERROR_…; 0 if there is no failure.
    std::uint32_t result = 0;
    /// A Domino STATUS; 0 if there is none.
    std::uint32_t applicationResult = 0;
    std::string text;
};

/// What has failed in a component while the others go on.
struct ComponentFailure {
    /// By its number in `WriterHandlers::components`.
    std::size_t component = 0;
    /// VSS_E_WRITERERROR_…
    std::uint32_t result = 0;
    /// STATUS of Domino; 0 for none.
    std::uint32_t applicationResult = 0;
    std::string text;
};

/// What a requester backs up.
struct Selection {
    /// True: selected components. False: whole volumes.
    bool components = false;
    /// Logical paths and names; empty unless components are selected.
    std::vector<std::pair<std::string, std::string>> selected;
};

/// The snapshot set about to be made.
struct SnapshotSet {
    Guid id;
    /// The requester's session; empty if VSS does not report it.
    Guid session;
    /// Whether a path is on a volume of the set. Calls VSS.
    std::function<bool(const std::string& path)> contains;
};

/// The shadows of the set while PostSnapshot lasts.
struct NewShadows {
    /// They may be changed until then.
    bool writable = false;
    /// Where the shadow of a volume can be opened, without a separator at the end; empty if it has none. Calls VSS;
    /// only for the handler's thread.
    std::function<std::string(const std::string& volume)> deviceOf;
};

/// The result a requester reports for the files of a component after a restore.
enum class FilesRestored : std::uint8_t { all, none, failed };

/// A component that a requester restores.
struct RestoreComponent {
    std::string name;
    /// The metadata that the writer stored in it during the backup.
    std::string metadata;
    /// Files are restored to a different place.
    bool elsewhere = false;
    /// Valid from PostRestore on.
    FilesRestored status = FilesRestored::all;
};

/// A restore by a requester.
struct RequestedRestore {
    Guid session;
    std::vector<RestoreComponent> components;
};

struct RestoreVerdict {
    Verdict all;
    /// Failures of single components, by index.
    std::vector<std::pair<std::size_t, std::string>> components;
};

/// The answer to a PostRestore that does not end one of our restores. The databases did not get their change
/// information, so it is a success only if no file was replaced.
[[nodiscard]] inline RestoreVerdict notFinished(const RequestedRestore& restore) {
    for (const RestoreComponent& component : restore.components)
        if (component.status != FilesRestored::none)
            return {{false, result::kWriterNonRetryable, 0,
                     "the writer refused this restore or has ended since; databases whose files were replaced are not "
                     "restored: use domino-vss restore"},
                    {}};
    return {};
}

/// Handles the databases when a requester restores their files.
class RestoreWork {
public:
    RestoreWork() = default;
    RestoreWork(const RestoreWork&) = delete;
    RestoreWork& operator=(const RestoreWork&) = delete;
    virtual ~RestoreWork() = default;

    /// Takes the databases offline. Throws Failure.
    [[nodiscard]] virtual RestoreVerdict preRestore(const RequestedRestore& restore) = 0;
    /// After the files were restored: applies change information, recovers the databases and brings them online. Throws
    /// Failure.
    [[nodiscard]] virtual RestoreVerdict postRestore(const RequestedRestore& restore) = 0;
    /// The requester of this session has ended: ends its restore.
    virtual void shutdown(const Guid& session) noexcept = 0;
    /// Ends a restore in progress. Idempotent.
    virtual void close() noexcept = 0;
};

/// The reaction of a writer to VSS events. The handlers run on VSS threads and never wait for JavaScript. None of them
/// throws.
class WriterHandlers {
public:
    WriterHandlers() = default;
    WriterHandlers(const WriterHandlers&) = delete;
    WriterHandlers& operator=(const WriterHandlers&) = delete;
    virtual ~WriterHandlers() = default;

    [[nodiscard]] virtual const OwnComponents& components() const noexcept = 0;
    /// Refuses all later events. Idempotent.
    virtual void close() = 0;

    /// Whether to report the writer to the requester that asks.
    [[nodiscard]] virtual bool identify() noexcept = 0;
    [[nodiscard]] virtual Verdict prepareBackup(Selection selection) noexcept = 0;
    [[nodiscard]] virtual Verdict prepareSnapshot(const SnapshotSet& set) noexcept = 0;
    [[nodiscard]] virtual Verdict freeze() noexcept = 0;
    [[nodiscard]] virtual Verdict thaw() noexcept = 0;
    [[nodiscard]] virtual Verdict postSnapshot(const NewShadows& shadows) noexcept = 0;
    virtual void abort() noexcept = 0;
    /// `set` may differ from the last one or be empty. `session` is the requester that has ended; empty if VSS does not
    /// report it.
    virtual void backupShutdown(const Guid& set, const Guid& session) noexcept = 0;
    /// The id of the backup that the last postSnapshot completed; empty if none.
    [[nodiscard]] virtual std::string completedBackup() const { return {}; }
    /// What the last postSnapshot has not backed up; empty when it has all.
    [[nodiscard]] virtual std::vector<ComponentFailure> failedComponents() const { return {}; }
    [[nodiscard]] virtual bool takesPartInRestores() const noexcept { return false; }
    [[nodiscard]] virtual RestoreVerdict preRestore(const RequestedRestore& /*restore*/) noexcept { return {}; }
    [[nodiscard]] virtual RestoreVerdict postRestore(const RequestedRestore& /*restore*/) noexcept { return {}; }
};

}  // namespace domino_vss::vss
