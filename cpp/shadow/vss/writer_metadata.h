#pragma once

#include <vector>

#include "engine/deadline.h"
#include "shadow/vss/headers.h"
#include "shadow/vss/writer.h"

namespace domino_vss::vss {

/// GatherWriterMetadata, and everything that the writers say. Once per object. Throws Failure.
[[nodiscard]] std::vector<Writer> gatherWriters(IVssBackupComponents& components, const engine::Limits& limits,
                                                Phase phase);

/// GatherWriterStatus: the states of the writers that are known, instead of those of an earlier time. One that is
/// missing has `vanished` and failed with VSS_E_WRITER_NOT_RESPONDING. Throws Failure.
void gatherWriterStatus(IVssBackupComponents& components, std::vector<Writer>& writers, const engine::Limits& limits,
                        Phase phase);

/// A writer that has failed at `operation`; the result of the operation does not tell.
[[nodiscard]] Failure writerFailure(const Writer& writer, const char* operation, Phase phase);

}  // namespace domino_vss::vss
