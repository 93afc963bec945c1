#pragma once
// The writers that programs have registered, as a requester's session sees them. They may be in this process, too: the
// way is the same.

#include <memory>
#include <string>
#include <vector>

#include "operation.h"
#include "writer_channel.h"
#include "writer_message.h"

namespace vss_simulator {

/** One writer that a program has registered, for one session. Closing the connection ends the session for it. */
class RegisteredWriter {
public:
    explicit RegisteredWriter(File pipe) : channel_(std::move(pipe)) {}

    VSS_APPLICATION_LEVEL level = VSS_APP_UNKNOWN;

    /** False when it is gone. */
    bool send(EventMessage message);
    /** Signalled when receive() has something. */
    HANDLE arrival() { return channel_.arrival(); }
    enum class Arrival { Answer, TooLate, Gone };
    /** TooLate: the answer to an earlier message, which nobody has waited for. */
    Arrival receive(EventAnswer& answer);

private:
    WriterChannel channel_;
    long number_ = 0;
};

/** They have not been asked anything yet. `isWanted` gets class and instance. */
std::vector<WriterRun> registeredWriters(
    const std::function<bool(const VSS_ID& classId, const VSS_ID& instanceId)>& isWanted);
/** The file that exists as long as the writer is registered. */
std::filesystem::path registrationFile(const VSS_ID& classId, const VSS_ID& instanceId);

/** Those that have registered hear of the event, and what they answer is put into their runs and into the document. */
void deliverToPrograms(WriterEvent event, std::vector<WriterRun>& runs, const SessionDetails& session,
                       BackupDocument& document, Operation& operation);
/** Without an operation, and whether or not they still take part. */
void deliverLastToPrograms(WriterEvent event, std::vector<WriterRun>& runs, const SessionDetails& session,
                           BackupDocument& document);
/** Asks them for their states. */
void refreshStates(std::vector<WriterRun>& runs);

}  // namespace vss_simulator
