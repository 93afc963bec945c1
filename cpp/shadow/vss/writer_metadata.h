#pragma once

#include <vector>

#include "backup/deadline.h"
#include "shadow/vss/com.h"
#include "shadow/vss/writer.h"

namespace domino_vss::vss {

/// GatherWriterMetadata, and everything that the writers say. Once per object. Throws Failure.
[[nodiscard]] std::vector<Writer> gatherWriters(IVssBackupComponents& components, const backup::Limits& limits,
                                                backup::Phase phase);

/// GatherWriterStatus: the states of the writers that are known, instead of those of an earlier time. One that is
/// missing has failed with VSS_E_WRITER_NOT_RESPONDING. Throws Failure.
void gatherWriterStatus(IVssBackupComponents& components, std::vector<Writer>& writers, const backup::Limits& limits,
                        backup::Phase phase);

/// A writer that has failed at `operation`; the result of the operation does not tell.
[[nodiscard]] backup::Failure writerFailure(const Writer& writer, const char* operation, backup::Phase phase);

}  // namespace domino_vss::vss
