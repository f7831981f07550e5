"""What any program might use: files, threads, signals, text made safe."""
