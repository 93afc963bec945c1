#pragma once

#include <memory>

#include "shadow/vss/writer_description.h"
#include "shadow/vss/writer_handlers.h"

namespace domino_vss::vss {

/// The writer as VSS knows it, from its registration until `end` or its destruction. It belongs to the process: nothing
/// of it stays in the system. Windows only. Both are for threads of the multi-threaded apartment, for VSS calls the
/// events on threads of its own then.
class RegisteredWriter {
public:
    /// IVssWriterImpl::Initialize and Subscribe. Throws Failure.
    RegisteredWriter(WriterDescription description, std::shared_ptr<WriterHandlers> handlers);
    RegisteredWriter(const RegisteredWriter&) = delete;
    RegisteredWriter& operator=(const RegisteredWriter&) = delete;
    ~RegisteredWriter();

    /// Takes no part in anything any more, then unsubscribes. Idempotent.
    void end() noexcept;

private:
    class Object;

    std::shared_ptr<WriterHandlers> handlers_;
    std::unique_ptr<Object> object_;
};

}  // namespace domino_vss::vss
