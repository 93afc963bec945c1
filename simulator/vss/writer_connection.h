#pragma once
// A requester's session in the writer's process: delivers events one after the other, each on its own thread, enforces
// the time limit of the freeze, and handles the death of the requester.

#include "com_object.h"
#include "writer_impl.h"

namespace vss_simulator {

/** Serves requesters until the writer stops. */
void serveRequesters(WriterImpl& writer, WriterListener& listener);

}  // namespace vss_simulator
