#pragma once
// A child program that is controlled through its standard input and output.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace domino_sim::cli {

/** The path of this program. */
std::string ownPath();

class ChildProcess {
public:
    ChildProcess(const std::string& program, const std::vector<std::string>& words);
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    /** Closes its input, which makes it stop, and waits for its end. */
    ~ChildProcess();

    /** The next line of its output; empty at the end of the output. */
    std::string readLine();

    /** All output up to its end. */
    std::string readAll();

    void writeLine(const std::string& line);
    std::string ask(const std::string& line);
    void closeInput() { in_.reset(); }

    /** Waits for its end. Returns the exit code, or 128 plus the number of a signal. */
    int wait();

    /** Kills it, like a crash. */
    void kill();

private:
    struct Closer {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };

    std::intptr_t process_ = 0;  // a process id on Linux, a handle on Windows
    std::unique_ptr<std::FILE, Closer> in_;
    std::unique_ptr<std::FILE, Closer> out_;
    std::mutex mutex_;
};

}  // namespace domino_sim::cli
