#pragma once

#include <memory>

#include "shadow/vss/writer_description.h"
#include "shadow/vss/writer_handlers.h"

namespace domino_vss::vss {

/// The writer's registration with VSS, until `end` or destruction. It belongs to the process and leaves nothing in the
/// system. Windows only. Construct and end it on threads of the multi-threaded apartment; then VSS calls the events on
/// its own threads.
class RegisteredWriter {
public:
    /// Calls IVssWriterImpl::Initialize and Subscribe. Throws Failure.
    RegisteredWriter(WriterDescription description, std::shared_ptr<WriterHandlers> handlers);
    RegisteredWriter(const RegisteredWriter&) = delete;
    RegisteredWriter& operator=(const RegisteredWriter&) = delete;
    ~RegisteredWriter();

    /// Closes the handlers, then unsubscribes. Waits up to ten seconds for running handlers. Idempotent.
    void end() noexcept;

private:
    class Object;

    std::shared_ptr<WriterHandlers> handlers_;
    std::unique_ptr<Object> object_;
};

}  // namespace domino_vss::vss
