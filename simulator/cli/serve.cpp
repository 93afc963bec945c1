// The server: holds the partition, runs the workload, answers lines.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <sstream>

#include "arguments.h"
#include "child_process.h"
#include "commands.h"
#include "json.h"
#include "line_server.h"
#include "maintenance.h"
#include "remote.h"
#include "utf8_path.h"
#include "workload.h"

namespace domino_sim::cli {

namespace fs = std::filesystem;

namespace {

std::string failure(const std::string& text, Status status = kNoError) {
    Json json = Json::object().add("ok", false).add("error", text);
    if (status != kNoError) {
        json.add("status", status);
    }
    return json.text();
}

/** The databases that a running server always keeps open. */
std::vector<std::unique_ptr<Database>> openSystemDatabases(Environment& environment) {
    std::vector<std::unique_ptr<Database>> result;
    for (const char* name : {"names.nsf", "log.nsf", "admin4.nsf", "busytime.nsf", "mail.box"}) {
        try {
            result.push_back(
                std::make_unique<Database>(environment, resolvePath(environment, name), OpenPurpose::user));
        } catch (const StatusError& error) {
            if (error.code() != kNoExist) {
                throw;
            }
        }
    }
    return result;
}

class Session {
public:
    Session(Environment& environment, Workload& workload, ChildProcess* second, StopRequest& stop)
        : environment_(&environment), workload_(&workload), second_(second), stop_(&stop) {}

    std::string answer(const std::string& line) {
        std::istringstream stream(line);
        std::string command;
        stream >> command >> std::ws;
        std::string rest;
        std::getline(stream, rest);
        if (command == "remote") {
            return answerRemote(*environment_, rest);
        }
        try {
            return perform(command, rest);
        } catch (const StatusError& error) {
            return failure("refused by the library", error.code());
        } catch (const std::exception& error) {
            return failure(error.what());
        }
    }

private:
    std::string perform(const std::string& command, const std::string& rest) {
        Json ok = Json::object().add("ok", true);
        if (command == "pause") {
            workload_->pause();
            tellSecond(command);
        } else if (command == "resume") {
            workload_->resume();
            tellSecond(command);
        } else if (command == "run") {
            const auto [database, count] = splitNumber(rest);
            workload_->run(database, count);
        } else if (command == "hold") {
            const auto [database, pages] = splitNumber(rest);
            workload_->hold(database, pages);
        } else if (command == "release") {
            workload_->release(rest);
        } else if (command == "compact") {
            const auto [database, durationMs] = splitNumber(rest);
            Database open(*environment_, resolvePath(*environment_, database), OpenPurpose::user);
            beginCompactInPlace(open, static_cast<std::int64_t>(durationMs));
        } else if (command == "compact-end") {
            Database open(*environment_, resolvePath(*environment_, rest), OpenPurpose::user);
            endCompactInPlace(open);
        } else if (command == "compact-copy") {
            compactByCopy(*environment_, resolvePath(*environment_, rest));
        } else if (command == "dbcache-flush") {
            workload_->flushCache();
            tellSecond(command);
        } else if (command == "fixup") {
            Database open(*environment_, resolvePath(*environment_, rest), OpenPurpose::user);
            forceFixup(open);
        } else if (command == "stats") {
            ok.add("pid", platform::currentProcess().pid)
                .add("databases", workload_->databases())
                .add("transactions", workload_->transactions())
                .add("refused", workload_->refused());
            if (second_ != nullptr) {
                ok.addJson("secondProcess", second_->ask("stats"));
            }
        } else if (command == "stop") {
            stop_->request();
        } else {
            return failure("unknown command: " + command);
        }
        return ok.text();
    }

    void tellSecond(const std::string& line) {
        if (second_ != nullptr) {
            second_->ask(line);
        }
    }

    /** `mail/a b.nsf 3`: the last word is the number. */
    static std::pair<std::string, std::uint64_t> splitNumber(const std::string& rest) {
        const auto space = rest.rfind(' ');
        if (space == std::string::npos) {
            throw UsageError("DB and a number are needed");
        }
        return {rest.substr(0, space), static_cast<std::uint64_t>(parseNumber(rest.substr(space + 1)))};
    }

    Environment* environment_;
    Workload* workload_;
    ChildProcess* second_;
    StopRequest* stop_;
};

WorkloadOptions workloadOptions(const Arguments& arguments, bool isWriter) {
    WorkloadOptions options;
    options.logDirectory = pathOf(arguments.require("log"));
    options.name = (isWriter ? "second-" : "server-") + std::to_string(platform::currentProcess().pid);
    options.threads = static_cast<unsigned>(arguments.number("threads", 1));
    options.transactionsPerSecond = arguments.number("rate", 0);
    options.databaseGlob = arguments.text("databases", "*");
    options.seed = static_cast<std::uint64_t>(arguments.number("seed", 1));
    options.isPaused = arguments.has("paused");
    return options;
}

/** The second process gets the same workload as its parent, without the option that starts a second process. */
std::vector<std::string> wordsForSecond(const std::vector<std::string>& words) {
    std::vector<std::string> result{"serve", "--writer", "--stop-with-stdin"};
    std::ranges::copy_if(words, std::back_inserter(result),
                         [](const std::string& word) { return word != "--second-process"; });
    return result;
}

}  // namespace

int serveCommand(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"ini", "threads", "rate", "log", "databases", "seed"},
                              {"second-process", "paused", "writer", "stop-with-stdin"});
    const bool isWriter = arguments.has("writer");
    const WorkloadOptions options = workloadOptions(arguments, isWriter);
    fs::create_directories(options.logDirectory);
    std::optional<ChildProcess> second;  // created before any thread, and before signals are blocked
    const auto environment = environmentOf(arguments.require("ini"), ProcessRole::writer);
    if (!isWriter) {
        if (environment->partition->isServerRunning()) {
            throw UsageError("a server of this data directory is running");
        }
        clearServerState(*environment, false);
        if (arguments.has("second-process")) {
            second.emplace(ownPath(), wordsForSecond(words));
            second->readLine();  // waits until it is ready
        }
        environment->partition->leave();
        environment->partition->enroll(ProcessRole::server);
    }
    StopRequest stop;
    const auto systemDatabases =
        isWriter ? std::vector<std::unique_ptr<Database>>() : openSystemDatabases(*environment);
    {
        Workload workload(*environment, options);
        Session session(*environment, workload, second ? &*second : nullptr, stop);
        const auto answer = [&](const std::string& line) { return session.answer(line); };
        std::optional<LineServer> server;
        if (!isWriter) {
            server.emplace(environment->partition->serverAddress(), answer);
        }
        std::puts(Json::object()
                      .add("ready", true)
                      .add("pid", platform::currentProcess().pid)
                      .add("databases", workload.databases())
                      .text()
                      .c_str());
        std::fflush(stdout);
        answerStandardInput(answer, stop, arguments.has("stop-with-stdin"));
    }
    second.reset();
    return 0;
}

}  // namespace domino_sim::cli
