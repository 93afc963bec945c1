#pragma once
// The writers that programs have registered, as a requester's session sees them. Writers in this process are treated
// the same way.

#include <memory>
#include <string>
#include <vector>

#include "operation.h"
#include "writer_channel.h"
#include "writer_message.h"

namespace vss_simulator {

/** A registered writer in one session. Closing the connection ends the session for it. */
class RegisteredWriter {
public:
    explicit RegisteredWriter(File pipe) : channel_(std::move(pipe)) {}

    VSS_APPLICATION_LEVEL level = VSS_APP_UNKNOWN;

    /** Returns false if the writer is gone. */
    bool send(EventMessage message);
    /** Signalled when receive() has a result. */
    HANDLE arrival() { return channel_.arrival(); }
    enum class Arrival { Answer, TooLate, Gone };
    /** TooLate: an answer to an earlier message that is no longer waited for. */
    Arrival receive(EventAnswer& answer);

private:
    WriterChannel channel_;
    long number_ = 0;
};

/** Not queried yet. `isWanted` receives the class and instance ids. */
std::vector<WriterRun> registeredWriters(
    const std::function<bool(const VSS_ID& classId, const VSS_ID& instanceId)>& isWanted);
/** The file that exists while the writer is registered. */
std::filesystem::path registrationFile(const VSS_ID& classId, const VSS_ID& instanceId);

/** Sends the event to the registered writers, and stores their answers in their runs and in the document. */
void deliverToPrograms(WriterEvent event, std::vector<WriterRun>& runs, const SessionDetails& session,
                       BackupDocument& document, Operation& operation);
/** Without an operation, also to writers that no longer take part. */
void deliverLastToPrograms(WriterEvent event, std::vector<WriterRun>& runs, const SessionDetails& session,
                           BackupDocument& document);
/** Queries the states of the registered writers. */
void refreshStates(std::vector<WriterRun>& runs);

}  // namespace vss_simulator
