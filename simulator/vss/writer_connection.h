#pragma once
// One requester's session as the writer's process serves it: events one after the other, each on a thread of its own;
// the time limit of the freeze; and what happens when the requester dies.

#include "com_object.h"
#include "writer_impl.h"

namespace vss_simulator {

/** Takes requesters until the writer stops. */
void serveRequesters(Ref<WriterImpl> writer, WriterListener& listener);

}  // namespace vss_simulator
