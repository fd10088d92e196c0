"""What a run says on the terminal: time, step and message, a line each."""

import logging

import dagster as dg


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        metadata = getattr(record, "dagster_meta", {})
        step = metadata.get("step_key") or metadata.get("job_name") or "-"
        message = metadata.get("orig_message") or record.getMessage()
        line = (
            f"{self.formatTime(record, '%H:%M:%S')} {record.levelname.lower():7} {step.replace('__', '/')}: {message}"
        )
        return line if record.exc_info is None else f"{line}\n{self.formatException(record.exc_info)}"


def _says_something(record: logging.LogRecord) -> bool:
    """Without Dagster's note of a check over the whole collection, which a run of some videos leaves to the night."""
    message = record.getMessage()
    return "did not yield or return expected outputs" not in message or "ready_for_analysis" not in message


@dg.logger(config_schema={"log_level": dg.Field(str, default_value="INFO", is_required=False)})
def console(context: dg.InitLoggerContext) -> logging.Logger:
    """Short lines on standard error; Dagster's own put three identifiers before each message."""
    logger = logging.Logger("megafish", level=context.logger_config["log_level"])
    handler = logging.StreamHandler()
    handler.setFormatter(_Line())
    handler.addFilter(_says_something)
    logger.addHandler(handler)
    return logger
