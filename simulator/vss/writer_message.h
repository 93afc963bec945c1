#pragma once
// The messages between a requester's process and a writer's process, sent over a WriterChannel.

#include <optional>
#include <string>
#include <vector>

#include "backup_document.h"
#include "document.h"
#include "writers.h"

namespace vss_simulator {

struct SetVolume {
    /** The GUID name of the original volume. */
    std::wstring name;
    /** The device of its shadow, without a trailing backslash; empty before it exists. */
    std::wstring device;
};

/** The requester's session as its writers may see it. */
struct SessionDetails {
    VSS_ID sessionId{};
    /** GUID_NULL if there is none. */
    VSS_ID setId{};
    LONG context = 0;
    bool isRestore = false;
    VSS_RESTORE_TYPE restoreType = VSS_RTYPE_UNDEFINED;
    std::vector<SetVolume> volumes;
};

struct EventMessage {
    /** The answer has the same number, so that a late answer is not taken for the next one. */
    long number = 0;
    /** Nothing for a query of the state only. */
    std::optional<WriterEvent> event;
    SessionDetails session;
    /** Contains only the writers and components that concern this writer. */
    BackupDocument document;
};

struct EventAnswer {
    long number = 0;
    VSS_WRITER_STATE state = VSS_WS_UNKNOWN;
    HRESULT failure = S_OK;
    HRESULT applicationFailure = S_OK;
    std::string applicationMessage;
    /** It no longer takes part. */
    bool isOut = false;
    VSS_APPLICATION_LEVEL level = VSS_APP_UNKNOWN;
    /** The answer to Identify, unless the writer does not want to be reported. */
    std::optional<WriterDescription> metadata;
    /** Including the writer's additions. */
    std::vector<WriterSelection> selections;
};

Element elementOf(const EventMessage& message);
EventMessage messageFrom(const Element& element);
Element elementOf(const EventAnswer& answer);
EventAnswer answerFrom(const Element& element);

}  // namespace vss_simulator
