#pragma once
// What a requester's process and a writer's process tell each other over a WriterChannel.

#include <optional>
#include <string>
#include <vector>

#include "backup_document.h"
#include "document.h"
#include "writers.h"

namespace vss_simulator {

struct SetVolume {
    /** GUID name of the original. */
    std::wstring name;
    /** Of its shadow, without trailing backslash; empty before it exists. */
    std::wstring device;
};

/** The requester's session as its writers may know it. */
struct SessionDetails {
    VSS_ID sessionId{};
    /** GUID_NULL when there is none. */
    VSS_ID setId{};
    LONG context = 0;
    bool isRestore = false;
    VSS_RESTORE_TYPE restoreType = VSS_RTYPE_UNDEFINED;
    std::vector<SetVolume> volumes;
};

struct EventMessage {
    /** The answer has the same: one that comes too late is not taken for the next. */
    long number = 0;
    /** Nothing for a question after the state alone. */
    std::optional<WriterEvent> event;
    SessionDetails session;
    /** Of the writers and components only what concerns this writer. */
    BackupDocument document;
};

struct EventAnswer {
    long number = 0;
    VSS_WRITER_STATE state = VSS_WS_UNKNOWN;
    HRESULT failure = S_OK;
    HRESULT applicationFailure = S_OK;
    std::string applicationMessage;
    /** It takes part no more. */
    bool isOut = false;
    VSS_APPLICATION_LEVEL level = VSS_APP_UNKNOWN;
    /** Answer of Identify, unless the writer does not want to be reported. */
    std::optional<WriterDescription> metadata;
    /** With what the writer has put in. */
    std::vector<WriterSelection> selections;
};

Element elementOf(const EventMessage& message);
EventMessage messageFrom(const Element& element);
Element elementOf(const EventAnswer& answer);
EventAnswer answerFrom(const Element& element);

}  // namespace vss_simulator
