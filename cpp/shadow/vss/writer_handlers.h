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

/// What a handler answers to VSS.
struct Verdict {
    /// false is a veto: the snapshot fails.
    bool proceed = true;
    /// VSS_E_WRITERERROR_…; 0 for no failure.
    std::uint32_t result = 0;
    /// STATUS of Domino; 0 for none.
    std::uint32_t applicationResult = 0;
    std::string text;
};

/// What a requester backs up.
struct Selection {
    /// Otherwise whole volumes.
    bool components = false;
    /// Logical path and name; empty without components.
    std::vector<std::pair<std::string, std::string>> selected;
};

/// The snapshot set that is about to be made.
struct SnapshotSet {
    Guid id;
    /// Of the requester; empty where VSS does not tell.
    Guid session;
    /// Whether a path lies on one of its volumes.
    std::function<bool(const std::string& path)> contains;
};

/// What a requester says of the files of a component after a restore.
enum class FilesRestored : std::uint8_t { all, none, failed };

/// A component that a requester restores.
struct RestoreComponent {
    std::string name;
    /// What the writer has written into it at the backup.
    std::string metadata;
    /// Files go to other places than they came from.
    bool elsewhere = false;
    /// Known from PostRestore on.
    FilesRestored status = FilesRestored::all;
};

/// A restore of one requester.
struct RequestedRestore {
    Guid session;
    std::vector<RestoreComponent> components;
};

struct RestoreVerdict {
    Verdict all;
    /// What has failed in a component, by its number.
    std::vector<std::pair<std::size_t, std::string>> components;
};

/// Answers a PostRestore that ends no restore of ours. Its databases have got no change information, so it is a success
/// only when no file was replaced.
[[nodiscard]] inline RestoreVerdict notFinished(const RequestedRestore& restore) {
    for (const RestoreComponent& component : restore.components)
        if (component.status != FilesRestored::none)
            return {{false, result::kWriterNonRetryable, 0,
                     "the writer has refused this restore or has ended since; databases that were replaced are not "
                     "restored: use domino-vss restore"},
                    {}};
    return {};
}

/// What happens to the databases when a requester restores their files.
class RestoreWork {
public:
    RestoreWork() = default;
    RestoreWork(const RestoreWork&) = delete;
    RestoreWork& operator=(const RestoreWork&) = delete;
    virtual ~RestoreWork() = default;

    /// They go offline. Throws Failure.
    [[nodiscard]] virtual RestoreVerdict preRestore(const RequestedRestore& restore) = 0;
    /// Their files are back: they get their change information, are recovered and go online. Throws Failure.
    [[nodiscard]] virtual RestoreVerdict postRestore(const RequestedRestore& restore) = 0;
    /// The requester of this session is gone: its restore ends.
    virtual void shutdown(const Guid& session) noexcept = 0;
    /// A restore that is under way ends. Idempotent.
    virtual void close() noexcept = 0;
};

/// What a writer does when VSS delivers an event. The handlers run on threads of VSS and never wait for JavaScript.
/// None of them throws.
class WriterHandlers {
public:
    WriterHandlers() = default;
    WriterHandlers(const WriterHandlers&) = delete;
    WriterHandlers& operator=(const WriterHandlers&) = delete;
    virtual ~WriterHandlers() = default;

    [[nodiscard]] virtual const OwnComponents& components() const noexcept = 0;
    /// No part in anything any more. Idempotent.
    virtual void close() = 0;

    /// Whether the requester that asks is to hear of the writer.
    [[nodiscard]] virtual bool identify() noexcept = 0;
    [[nodiscard]] virtual Verdict prepareBackup(Selection selection) noexcept = 0;
    [[nodiscard]] virtual Verdict prepareSnapshot(const SnapshotSet& set) noexcept = 0;
    [[nodiscard]] virtual Verdict freeze() noexcept = 0;
    [[nodiscard]] virtual Verdict thaw() noexcept = 0;
    [[nodiscard]] virtual Verdict postSnapshot() noexcept = 0;
    virtual void abort() noexcept = 0;
    /// `set` may be another one than the last, or none; `session` is that of the requester which has ended, empty where
    /// VSS does not tell.
    virtual void backupShutdown(const Guid& set, const Guid& session) noexcept = 0;
    /// Id of the backup that the last postSnapshot has completed; empty for none.
    [[nodiscard]] virtual std::string completedBackup() const { return {}; }
    [[nodiscard]] virtual bool takesPartInRestores() const noexcept { return false; }
    [[nodiscard]] virtual RestoreVerdict preRestore(const RequestedRestore& /*restore*/) noexcept { return {}; }
    [[nodiscard]] virtual RestoreVerdict postRestore(const RequestedRestore& /*restore*/) noexcept { return {}; }
};

}  // namespace domino_vss::vss
