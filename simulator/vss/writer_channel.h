#pragma once
// Communication between a requester's process and a writer's process: a named pipe per writer, a connection per
// requester session, XML elements in both directions. Each side notices at once when the other dies.

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

    /** Returns false if the other side is gone. */
    bool send(const Element& message);
    /** Signalled when receive() has a result. */
    HANDLE arrival();
    /** Call after arrival(): the message, or nothing if the other side is gone. */
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

/** A manual-reset event. */
File newEvent();

/** The writer's side, where requesters find it. */
class WriterListener {
public:
    explicit WriterListener(const std::string& writerInstance);
    /** Waits for a requester. Returns a closed file once `stop` is signalled. */
    File accept(HANDLE stop);

private:
    File newPipe() const;

    const std::wstring name_;
    /** One instance always exists: a requester that finds none considers the writer dead. */
    File next_;
};

/** The requester's side. Not open if the writer no longer exists. */
File connectToWriter(const std::string& writerInstance);

}  // namespace vss_simulator
