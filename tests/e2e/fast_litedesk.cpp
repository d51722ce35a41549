// litedesk with a clock on which back-off takes no time: what the kill-point tests run, so that a point takes milliseconds.
int main() { return 0; }
