#include "child_process.h"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace domino_sim::cli {

std::string ownPath() {
    return std::filesystem::read_symlink("/proc/self/exe").string();
}

ChildProcess::ChildProcess(const std::string& program, const std::vector<std::string>& words) {
    int toChild[2];
    int fromChild[2];
    if (::pipe2(toChild, O_CLOEXEC) == -1 || ::pipe2(fromChild, O_CLOEXEC) == -1) {
        throw std::system_error(errno, std::generic_category(), "pipe");
    }
    std::vector<std::string> all{program};
    all.insert(all.end(), words.begin(), words.end());
    std::vector<char*> argv;
    for (std::string& word : all) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::dup2(toChild[0], STDIN_FILENO);
        ::dup2(fromChild[1], STDOUT_FILENO);
        ::execv(argv[0], argv.data());
        ::_exit(127);
    }
    process_ = pid;
    ::close(toChild[0]);
    ::close(fromChild[1]);
    in_.reset(::fdopen(toChild[1], "w"));
    out_.reset(::fdopen(fromChild[0], "r"));
}

int ChildProcess::wait() {
    int status = 0;
    ::waitpid(static_cast<pid_t>(std::exchange(process_, 0)), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void ChildProcess::kill() {
    ::kill(static_cast<pid_t>(process_), SIGKILL);
}

}  // namespace domino_sim::cli
