// Asks the service in this container whether it is ready. Exit code 0: it is.
const answer = await fetch(`http://127.0.0.1:${process.env.PORT ?? "8080"}/readyz`).catch(() => null);
process.exit(answer?.ok === true ? 0 : 1);
