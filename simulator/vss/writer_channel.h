#pragma once
// How a requester's process and a writer's process talk: a named pipe per writer, a connection per session of a
// requester, elements of XML in both directions. Either side notices at once when the other dies.

#include <windows.h>

#include <array>
#include <optional>
#include <string>

#include "document.h"
#include "state_directory.h"

namespace vss_simulator {

/** One end of a connection. */
class WriterChannel {
public:
    explicit WriterChannel(File pipe);
    WriterChannel(const WriterChannel&) = delete;
    WriterChannel& operator=(const WriterChannel&) = delete;
    ~WriterChannel();

    /** False when the other side is gone. */
    bool send(const Element& message);
    /** Signalled as soon as receive() has something to answer. */
    HANDLE arrival();
    /** After arrival(): the message, or nothing when the other side is gone. */
    std::optional<Element> receive();

private:
    bool transfer(bool isWrite, char* bytes, DWORD count);

    File pipe_;
    File arrived_;
    File transferred_;
    OVERLAPPED reading_{};
    bool isReading_ = false;
    bool isClosed_ = false;
    /** The length of the next message. */
    DWORD header_ = 0;
};

/** Manual reset. */
File newEvent();

/** The writer's side: where requesters find it. */
class WriterListener {
public:
    explicit WriterListener(const std::string& writerInstance);
    /** Waits for a requester. Not open once `stop` is signalled. */
    File accept(HANDLE stop);

private:
    File newPipe() const;

    const std::wstring name_;
    /** One is always there: a requester that finds none takes the writer for dead. */
    File next_;
};

/** The requester's side. Not open when there is no such writer any more. */
File connectToWriter(const std::string& writerInstance);

}  // namespace vss_simulator
