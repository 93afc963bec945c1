#include "writer_message.h"

#include "text.h"

namespace vss_simulator {

namespace {

constexpr WriterEvent kLastEvent = WriterEvent::BackupShutdown;

std::optional<WriterEvent> eventNamed(const std::string& name) {
    for (int i = 0; i <= static_cast<int>(kLastEvent); ++i) {
        const auto event = static_cast<WriterEvent>(i);
        if (eventName(event) == name) return event;
    }
    return std::nullopt;
}

}  // namespace

Element elementOf(const EventMessage& message) {
    Element element{"EVENT", {}, {}};
    element.set("number", std::to_string(message.number))
        .set("event", message.event ? eventName(*message.event) : "")
        .set("sessionId", guidText(message.session.sessionId))
        .set("snapshotSetId", guidText(message.session.setId))
        .set("context", std::to_string(message.session.context))
        .setFlag("restore", message.session.isRestore)
        .set("restoreType", std::to_string(message.session.restoreType));
    for (const SetVolume& volume : message.session.volumes) {
        element.add("VOLUME").set("name", utf8(volume.name)).set("device", utf8(volume.device));
    }
    element.children.push_back(describeDocument(message.document));
    return element;
}

EventMessage messageFrom(const Element& element) {
    EventMessage message;
    message.number = element.number("number");
    message.event = eventNamed(element["event"]);
    message.session.sessionId = guidFrom(element["sessionId"]);
    message.session.setId = guidFrom(element["snapshotSetId"]);
    message.session.context = static_cast<LONG>(element.number("context"));
    message.session.isRestore = element.flag("restore");
    message.session.restoreType = static_cast<VSS_RESTORE_TYPE>(element.number("restoreType"));
    for (const Element* volume : element.all("VOLUME")) {
        message.session.volumes.push_back({utf16((*volume)["name"]), utf16((*volume)["device"])});
    }
    for (const Element* document : element.all("BACKUP_COMPONENTS")) message.document = documentFrom(*document);
    return message;
}

Element elementOf(const EventAnswer& answer) {
    Element element{"ANSWER", {}, {}};
    element.set("number", std::to_string(answer.number))
        .set("state", std::to_string(answer.state))
        .set("failure", std::to_string(answer.failure))
        .set("applicationFailure", std::to_string(answer.applicationFailure))
        .set("applicationMessage", answer.applicationMessage)
        .set("level", std::to_string(answer.level))
        .setFlag("out", answer.isOut);
    if (answer.metadata) element.children.push_back(describe(*answer.metadata));
    BackupDocument document;
    document.writers = answer.selections;
    element.children.push_back(describeDocument(document));
    return element;
}

EventAnswer answerFrom(const Element& element) {
    EventAnswer answer;
    answer.number = element.number("number");
    answer.state = static_cast<VSS_WRITER_STATE>(element.number("state"));
    answer.failure = static_cast<HRESULT>(element.number("failure"));
    answer.applicationFailure = static_cast<HRESULT>(element.number("applicationFailure"));
    answer.applicationMessage = element["applicationMessage"];
    answer.level = static_cast<VSS_APPLICATION_LEVEL>(element.number("level"));
    answer.isOut = element.flag("out");
    for (const Element* metadata : element.all("WRITER_METADATA")) answer.metadata = writerFromDocument(*metadata);
    for (const Element* document : element.all("BACKUP_COMPONENTS")) {
        answer.selections = documentFrom(*document).writers;
    }
    return answer;
}

}  // namespace vss_simulator
