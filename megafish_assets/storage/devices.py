"""Which device the models run on."""


def resolved_device(wanted: str) -> str:
    """`cuda`, `mps` or `cpu` for `auto`, in this order; else what was wanted.

    Raises RuntimeError for a device that this machine does not have: a run meant for a GPU should not take a
    hundred times longer in silence.
    """
    import torch

    has = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return next(device for device, there in has.items() if there)
    if not has[wanted]:
        there = ", ".join(device for device, found in has.items() if found)
        raise RuntimeError(
            f"MEGAFISH_DEVICE = {wanted!r}, but this machine has {there}; set it to auto or to one of these"
        )
    return wanted
