"""The Python front: what `import endplate` offers. Everything here is loaded at first use."""
