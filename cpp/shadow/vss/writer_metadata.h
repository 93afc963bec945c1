#pragma once

#include <vector>

#include "engine/deadline.h"
#include "shadow/vss/headers.h"
#include "shadow/vss/writer.h"

namespace domino_vss::vss {

/// Calls GatherWriterMetadata and reads the metadata of all writers. Once per object. Throws Failure.
[[nodiscard]] std::vector<Writer> gatherWriters(IVssBackupComponents& components, const engine::Limits& limits,
                                                Phase phase);

/// Calls GatherWriterStatus and replaces the states of the given writers. A writer missing from the list is marked as
/// `vanished` and failed with VSS_E_WRITER_NOT_RESPONDING. Throws Failure.
void gatherWriterStatus(IVssBackupComponents& components, std::vector<Writer>& writers, const engine::Limits& limits,
                        Phase phase);

/// A failure of a writer at `operation`; the result of the operation does not show it.
[[nodiscard]] Failure writerFailure(const Writer& writer, const char* operation, Phase phase);

}  // namespace domino_vss::vss
